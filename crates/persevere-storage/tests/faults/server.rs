//! What only the servers themselves can say and do.

use std::collections::HashSet;
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};

use persevere_storage::TransferOptions;
use sha2::{Digest, Sha256};

use crate::place::{Peer, Place, upload_ids, wait_for};

/// What is left of unfinished uploads of a key: of these, where the server does not say which key they are of.
pub(crate) fn unfinished(peer: Peer, key: &str, ids: &HashSet<String>) -> Vec<String> {
    match peer {
        Peer::S3sFs(peer) => {
            let files = names(peer.folder.as_ref().unwrap());
            files.filter(|name| ids.iter().any(|id| name.contains(&**id))).collect()
        }
        Peer::Versitygw(peer) => {
            let uploads = versitygw_uploads(peer.folder.as_ref().unwrap().join(peer.bucket), key);
            names(&uploads).collect()
        }
        Peer::Gcs(peer) => {
            let target = format!("/{}?uploads&prefix={key}", peer.bucket);
            let answer = request(peer.address, "GET", &target);
            answer.split("<UploadId>").skip(1).map(str::to_owned).collect()
        }
        // Blocks that were not committed are gone as soon as the blob is written.
        Peer::Azurite(_) => Vec::new(),
        Peer::Sshd(_) => {
            let folder = Path::new(key).parent().unwrap();
            names(folder).filter(|name| name.contains(".part")).collect()
        }
    }
}

/// What loses all unfinished uploads of the place's object, as they expire.
pub(crate) fn expiry(place: &Place) -> impl Fn() + Send + Sync + 'static {
    let (peer, key, proxy) = (place.peer, place.key.clone(), place.proxy.clone());
    let (behind, whole) = (place.behind.clone(), place.file("whole", 5, 1));
    let jobs = place.path("other jobs");
    move || {
        let ids = upload_ids(&proxy.exchanges());
        match peer {
            Peer::S3sFs(peer) => {
                let folder = peer.folder.as_ref().unwrap();
                for name in names(folder).filter(|name| ids.iter().any(|id| name.contains(&**id))) {
                    fs::remove_file(folder.join(name)).unwrap();
                }
            }
            Peer::Versitygw(peer) => {
                let bucket = peer.folder.as_ref().unwrap().join(peer.bucket);
                fs::remove_dir_all(versitygw_uploads(bucket, &key)).unwrap();
            }
            Peer::Gcs(peer) => {
                for id in ids {
                    let target = format!("/{}/{key}?uploadId={id}", peer.bucket);
                    request(peer.address, "DELETE", &target);
                }
            }
            // There is no request for it: blocks are gone when the blob is made of others.
            Peer::Azurite(_) => {
                let options = &TransferOptions::new().part_size(2).state_folder(&jobs);
                wait_for(behind.upload(&whole, &key, options)).unwrap();
            }
            Peer::Sshd(_) => fs::remove_file(format!("{key}.part")).unwrap(),
        }
    }
}

/// Where it keeps the parts of a key.
fn versitygw_uploads(bucket: PathBuf, key: &str) -> PathBuf {
    let hash = Sha256::digest(key);
    let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    bucket.join(".sgwtmp/multipart").join(hash)
}

fn names(folder: &Path) -> impl Iterator<Item = String> + use<> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap())
}

/// A request without a signature, for a server that asks for none.
fn request(address: SocketAddr, method: &str, target: &str) -> String {
    let mut connection = TcpStream::connect(address).unwrap();
    let request =
        format!("{method} {target} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    connection.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}
