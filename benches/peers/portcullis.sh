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
case $scenario in
s1) ;;
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
*) exit 3 ;;
esac

cat >"$folder/portcullis.toml" <<POLICY
version = 1
upstream = "http://127.0.0.1:18080"
hosts = ["127.0.0.1:$port"]

[proxy]
listen = "127.0.0.1:$port"
workers = ${PORTCULLIS_WORKERS:-2}

[events]
to = "$folder/events.jsonl"

$limit

[[route]]
path = "/api/item"
methods = ["GET"]
type = "public_read"
$limits
POLICY

exec "${PORTCULLIS:-portcullis}" guard --policy "$folder/portcullis.toml"
