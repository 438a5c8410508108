# Portcullis as a peer of the side-by-side harness: `portcullis.sh SCENARIO PORT`, in the foreground.
# $PORTCULLIS is the binary (default: the one on the path), $PORTCULLIS_WORKERS its threads (default: 2).
# Exit code 3: the scenario is not supported. Nothing but a policy tells the scenarios apart.
scenario=$1
port=$2
folder=$BASE/tmp/portcullis-$port
mkdir -p "$folder"
# Events of an earlier run would be read to their end at start.
rm -f "$folder"/events.jsonl*

limit=
limits=
type=public_read
method=GET
record=
public_url=
issuer=
# Tokens of the harness's issuer, verified by its key set.
tokens() {
    type=protected_read
    issuer="[identity]
tokens_remembered = $remembered
[[identity.issuer]]
issuer = \"https://issuer.test\"
audience = \"api\"
algorithms = [\"RS256\"]
jwks = \"file:$BASE/keys/jwks.json\""
}
# As the harness has it, a scenario with tokens verifies the signature of each with each request, and its suffix `c` is the same with
# what was verified kept in mind.
remembered=0
case $scenario in
s3c | s3kc | s5c | s8c)
    remembered=4096
    scenario=${scenario%c}
    ;;
# More tokens than are remembered: what a miss costs.
s3m) remembered=4096 ;;
esac
case $scenario in
s1) ;;
# A token each: one, a thousand, or more than are remembered.
s3 | s3k | s3m) tokens ;;
# A limit that is counted by address and never reached.
s2)
    limit='[limits.bench]
rate = "1000000000 per 1m"'
    limits='limits = ["bench"]'
    ;;
# A limit that is reached at once, and exact.
s7 | acc)
    limit='[limits.bench]
rate = "100 per 1m"
algorithm = "exact"
by = ["ip"]'
    limits='limits = ["bench"]'
    ;;
# Nine of ten are refused: no token, a wrong signature, an expired one, another audience.
s8)
    tokens
    limit='[limits.bench]
rate = "1000000000 per 1m"'
    limits='limits = ["bench"]'
    ;;
# A POST with all of it: a limit, a token of a thousand, CSRF, which asks nothing of who sends no cookie, header fields on the
# answer, and a line for each request.
s5)
    tokens
    type=protected_mutation
    method=POST
    record='record = "all"'
    limit='[limits.bench]
rate = "1000000000 per 1m"'
    limits='limits = ["bench"]'
    export PORTCULLIS_BENCH_CSRF="$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')"
    public_url="public_url = \"https://127.0.0.1:$port\""
    issuer="$issuer
[identity.csrf]
secret = \"env:PORTCULLIS_BENCH_CSRF\""
    ;;
*) exit 3 ;;
esac

cat >"$folder/portcullis.toml" <<POLICY
version = 1
upstream = "http://127.0.0.1:18080"
hosts = ["127.0.0.1:$port"]
$public_url

[proxy]
listen = "127.0.0.1:$port"
workers = ${PORTCULLIS_WORKERS:-2}

[events]
to = "$folder/events.jsonl"
$record

$issuer

$limit

[[route]]
path = "/api/item"
methods = ["$method"]
type = "$type"
$limits
POLICY

exec "${PORTCULLIS:-portcullis}" guard --policy "$folder/portcullis.toml"
