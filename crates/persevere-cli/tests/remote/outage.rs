//! Cables that are pulled in the middle of a copy.

use crate::common::namespace::inside;

/// A server at the other end of a cable, and a copy to it and one from it. The cable is pulled when something has
/// arrived, and is back when the program has said that it waits.
const COPIES: &str = r#"
export AWS_ENDPOINT_URL=http://10.9.0.2:7070 AWS_REGION=us-east-1
export AWS_ACCESS_KEY_ID=me AWS_SECRET_ACCESS_KEY=secret
local_network
unshare --net sleep 600 & there=$!
trap 'kill $there $server' EXIT
server=
there() { nsenter --net=/proc/$there/ns/net "$@"; }
eventually eval '[ "$(readlink /proc/$there/ns/net)" != "$(readlink /proc/self/ns/net)" ]'
ip link set v1 netns $there
there ip addr add 10.9.0.2/24 dev v1
there ip link set lo up
there ip link set v1 up
mkdir -p buckets/test attributes
# Not by `there`, for a function in the background is a shell of its own, and would be killed in place of the server.
ROOT_SECRET_ACCESS_KEY=secret nsenter --net=/proc/$there/ns/net "$VERSITYGW" --port 10.9.0.2:7070 --quiet --access me \
    posix --sidecar "$PWD/attributes" "$PWD/buckets" >server.log 2>&1 & server=$!
eventually eval 'exec 3<>/dev/tcp/10.9.0.2/7070' 2>/dev/null
truncate -s 200M source
confirmed() { cat .local/state/persevere/jobs/*.journal 2>/dev/null | grep -c '"part"' || true; }
copy() {
    persevere cp --wait-for-network --attempts 2 --initial-delay 10ms --stalled-after 1s \
        --part-size 5MiB --concurrency 2 "$@" 2>log & copying=$!
    for cut in 1 2 3; do
        before=$(confirmed)
        eventually eval '[ $(confirmed) -gt '$((before + 2))' ]'
        kill -0 $copying || { echo ended before cut $cut; cat log; exit 1; }
        there ip link set v1 down
        eventually eval "[ \$(grep -c 'network is down' log) -ge $cut ]" || { cat log; exit 1; }
        there ip link set v1 up
        eventually eval "[ \$(grep -c 'network recovered' log) -ge $cut ]" || { cat log; exit 1; }
    done
    wait $copying || { echo code $?; cat log; exit 1; }
    persevere jobs
    cat log
}
copy source s3://test/object
cmp source buckets/test/object
copy s3://test/object target
cmp source target
ls
"#;

#[test]
fn a_copy_goes_through_three_pulled_cables() {
    let peer = persevere_peers::program("versitygw");
    let Some(versitygw) = persevere_peers::or_skip("a_copy_goes_through", peer) else { return };
    let script = format!("VERSITYGW={}\n{COPIES}", versitygw.display());
    let Some(told) = inside("a_copy_goes_through", &script) else { return };
    assert!(!told.contains(".part"), "{told}");
    println!("{told}");
}
