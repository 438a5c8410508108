#!/bin/sh
# Runs each target for so many seconds, one after the other: fuzz/run.sh SECONDS [TARGET ...]
set -eu
cd "$(dirname "$0")"
seconds=$1
shift
[ $# -gt 0 ] || set -- request_head response_head chunked canon_path host_name client_ip header_set json_body \
    set_cookie policy_file event_line trail decide store_record jws key_set token_wish api_key rsa_signature
for target in "$@"; do
    case $target in
    canon_path | host_name) words=path ;;
    policy_file) words=policy ;;
    json_body | event_line | trail | jws | key_set | token_wish) words=json ;;
    *) words=http ;;
    esac
    mkdir -p "${FUZZ_WORK:-target/work}/$target"
    # libFuzzer reads all folders and writes what is new into the first.
    RUSTC_BOOTSTRAP=1 nice cargo fuzz run --fuzz-dir . "$target" "${FUZZ_WORK:-target/work}/$target" "corpus/$target" -- \
        -max_total_time="$seconds" -max_len=4096 -timeout=10 -rss_limit_mb=2048 -dict="dict/$words.dict" \
        -print_final_stats=1
done
