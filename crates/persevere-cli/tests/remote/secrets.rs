//! What lets somebody in is never told, whatever happens and however much is logged.

use std::fmt::Write as _;
use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use persevere_faults::{Answer, At, Fault, Outage, Plan, Rule};

use crate::common::finish;
use crate::copy::Copy;
use crate::place::{self, Asks, Place};

/// The forms in which a secret could be told.
fn forms(secret: &str) -> Vec<String> {
    let hexadecimal = secret.bytes().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    });
    let encoded = secret.bytes().fold(String::new(), |mut text, byte| {
        match byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            true => text.push(char::from(byte)),
            false => write!(text, "%{byte:02X}").unwrap(),
        }
        text
    });
    // Within something longer, base64 may begin in one of three places.
    let mut forms = vec![
        secret.to_owned(),
        encoded.clone(),
        encoded.to_lowercase(),
        hexadecimal.to_uppercase(),
        hexadecimal,
        secret.escape_debug().to_string(),
    ];
    for skipped in 0..3 {
        let whole = (secret.len() - skipped) / 3 * 3;
        let bytes = &secret.as_bytes()[skipped..skipped + whole];
        forms.extend([STANDARD.encode(bytes), URL_SAFE.encode(bytes)]);
    }
    forms
}

/// A place, and what nobody is to see.
struct Watch<'a> {
    place: &'a Place,
    secrets: Vec<String>,
    /// What the program is told besides.
    environment: Vec<(&'static str, String)>,
    /// Everything that was told so far.
    told: String,
}

impl<'a> Watch<'a> {
    fn new(place: &'a Place, secrets: &[&str], environment: &[(&'static str, &str)]) -> Self {
        let secrets = secrets.iter().map(|it| (*it).to_owned()).collect();
        let own = |(name, value): &(&'static str, &str)| (*name, (*value).to_owned());
        let environment = environment.iter().map(own).collect();
        Self { place, secrets, environment, told: String::new() }
    }

    fn set(&self, command: &mut Command) {
        for (name, value) in &self.environment {
            match value.is_empty() {
                true => command.env_remove(name),
                false => command.env(name, value),
            };
        }
        command.args(["--log-level", "debug"]);
    }

    /// Everything that the program says and keeps when it does this.
    fn watch(&mut self, copy: &Copy<'_>, arguments: &[&str]) -> Option<i32> {
        let mut command = copy.program(arguments);
        self.set(&mut command);
        command.args(["--attempts", "2", "--initial-delay", "1ms"]);
        let run = finish(&mut command);
        self.hear(copy, &format!("{arguments:?}\n{}\n{}", run.stdout, run.stderr));
        run.code
    }

    fn hear(&mut self, copy: &Copy<'_>, said: &str) {
        self.told.push_str(said);
        for journal in copy.journals() {
            self.told.push_str(&std::fs::read_to_string(journal).unwrap());
        }
        let jobs = finish(&mut copy.program(&["jobs", "--json"]));
        self.told.push_str(&(jobs.stdout + &jobs.stderr));
    }

    fn everything(&mut self, copy: &Copy<'_>) -> Vec<Option<i32>> {
        let (url, part) = (copy.url(), copy.place.part.to_string());
        [
            &["cp", "--json", "--part-size", &part, "source", &url][..],
            &["cp", "--log-format", "json", "--part-size", &part, &url, "target"],
            &["ls", "--json", &copy.place.url],
            &["exists", &url],
            &["rm", "--yes", &url],
        ]
        .map(|arguments| self.watch(copy, arguments))
        .into()
    }

    /// Whatever a server may answer, and however the line may fail.
    fn failures(&mut self, copy: &Copy<'_>) {
        let html = "<html>not what you think</html>";
        let answers = [
            Answer::new(403),
            Answer::new(404),
            Answer::new(407).header("proxy-authenticate", "Basic"),
            Answer::new(500),
            Answer::new(200).body(html),
            Answer::new(307).header("location", "http://127.0.0.1:9/elsewhere?a=b"),
            Answer::s3_error(400, "ExpiredToken", "The provided token has expired."),
        ];
        for answer in answers {
            self.fails(copy, Fault::Answer(answer));
        }
        self.fails(copy, Fault::ResetRequest(At::Byte(0)));
        self.fails(copy, Fault::LoseAnswer);
        self.place.proxy.begin_outage(Outage::Refuse);
        self.everything(copy);
        self.place.proxy.end_outage();
        self.dies(copy);
    }

    fn fails(&mut self, copy: &Copy<'_>, fault: Fault) {
        self.place.proxy.set_plan(Plan::new().rule(Rule::new(fault))).unwrap();
        self.everything(copy);
        self.place.proxy.set_plan(Plan::new()).unwrap();
    }

    /// Killed in the middle: its journal is left, and what it has said until then.
    fn dies(&mut self, copy: &Copy<'_>) {
        let protocol = self.place.protocol;
        let late = move |asks| matches!(asks, Asks::Send(number) if number >= 3);
        let stall = Rule::new(Fault::StallRequest(At::Byte(0)));
        let plan = Plan::new().rule(stall.when(move |request| late(protocol.asks(request))));
        let running = copy.start_by(plan, |mut command| {
            self.set(&mut command);
            command.spawn().unwrap()
        });
        let killed = running.wait_for_faults("stall request", 2);
        let (_, run) = killed.signal(rustix::process::Signal::TERM).end();
        assert_eq!(copy.journals().len(), 1, "{}", run.stderr);
        self.hear(copy, &format!("{}\n{}", run.stdout, run.stderr));
        // To go on, and to give up.
        self.watch(copy, &["jobs", "clean", "--all", "--json"]);
    }

    #[track_caller]
    fn nothing_is_told(self) {
        assert!(self.told.len() > 300, "much is logged: {}", self.told);
        for secret in &self.secrets {
            for form in forms(secret) {
                if let Some(at) = self.told.find(&form) {
                    let around = at.saturating_sub(300)..(at + 300).min(self.told.len());
                    panic!(
                        "{form} is in: {}",
                        String::from_utf8_lossy(&self.told.as_bytes()[around])
                    );
                }
            }
        }
    }
}

const TOKEN: &str = "FwoGZXIvYXdzEJr//a+session/token==";

#[test]
fn keys_of_s3() {
    let Some(place) = place::versitygw("keys_of_s3") else { return };
    let copy = Copy::upload(&place, "secrets");
    let mut watch = Watch::new(&place, &["persevere-secret"], &[]);
    assert_eq!(watch.everything(&copy), [Some(0); 5]);
    watch.failures(&copy);
    watch.nothing_is_told();

    // They are wrong, and one of them is a token, which is told to the server as it is.
    let (name, wrong) = ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
    let mut watch =
        Watch::new(&place, &[wrong, TOKEN], &[(name, wrong), ("AWS_SESSION_TOKEN", TOKEN)]);
    assert_eq!(watch.everything(&copy), [1, 1, 1, 2, 1].map(Some));
    watch.nothing_is_told();
}

#[test]
fn a_session_token_of_s3() {
    let Some(place) = place::s3s_fs("a_session_token_of_s3") else { return };
    let copy = Copy::upload(&place, "secrets");
    let mut watch =
        Watch::new(&place, &["persevere-secret", TOKEN], &[("AWS_SESSION_TOKEN", TOKEN)]);
    assert_eq!(watch.everything(&copy), [Some(0); 5]);
    watch.failures(&copy);
    watch.nothing_is_told();
}

#[test]
fn keys_and_signatures_of_azure() {
    let Some(place) = place::azurite("keys_and_signatures_of_azure") else { return };
    let variable = |wanted: &str| {
        place.environment.iter().find(|(name, _)| *name == wanted).unwrap().1.clone()
    };
    let (endpoint, key) = (variable("AZURE_STORAGE_ENDPOINT"), variable("AZURE_STORAGE_KEY"));
    let copy = Copy::upload(&place, "secrets");
    let mut watch = Watch::new(&place, &[&key], &[]);
    assert_eq!(watch.everything(&copy), [Some(0); 5]);
    watch.failures(&copy);
    watch.nothing_is_told();

    let account = variable("AZURE_STORAGE_ACCOUNT");
    let connection = format!(
        "DefaultEndpointsProtocol=http;AccountName={account};AccountKey={key};BlobEndpoint={endpoint};"
    );
    let instead = [("AZURE_STORAGE_KEY", ""), ("AZURE_STORAGE_CONNECTION_STRING", &*connection)];
    let mut watch = Watch::new(&place, &[&key], &instead);
    assert_eq!(watch.everything(&copy), [Some(0); 5]);
    watch.nothing_is_told();
    for broken in
        [connection.replace("AccountName", "AccountNam"), format!("AccountKey {key}"), key.clone()]
    {
        let instead = [("AZURE_STORAGE_KEY", ""), ("AZURE_STORAGE_CONNECTION_STRING", &*broken)];
        let mut watch = Watch::new(&place, &[&key], &instead);
        watch.everything(&copy);
        watch.nothing_is_told();
    }
    let mut watch = Watch::new(&place, &[&key[..40]], &[("AZURE_STORAGE_KEY", &key[..41])]);
    watch.everything(&copy);
    watch.nothing_is_told();

    // It is in the URL of every request.
    let signature = "c2lnbmF0dXJl+b2Y/bm9ib2R5LWF0LWFsbA==";
    let encoded = signature.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    let sas = format!("sv=2021-12-02&ss=b&srt=sco&sp=rwdlac&se=2099-01-01T00:00:00Z&sig={encoded}");
    let instead = [("AZURE_STORAGE_KEY", ""), ("AZURE_STORAGE_SAS_TOKEN", &*sas)];
    let mut watch = Watch::new(&place, &[signature], &instead);
    assert_eq!(watch.everything(&copy), [1, 1, 1, 2, 1].map(Some));
    for fault in [
        Fault::LoseAnswer,
        Fault::Answer(Answer::new(307).header("location", &format!("/x?{sas}"))),
    ] {
        watch.fails(&copy, fault);
    }
    place.proxy.begin_outage(Outage::Refuse);
    watch.everything(&copy);
    place.proxy.end_outage();
    watch.nothing_is_told();
}

#[test]
fn a_token_of_google() {
    let Some(place) = place::gcs("a_token_of_google") else { return };
    let copy = Copy::upload(&place, "secrets of google");
    let mut watch = Watch::new(&place, &["ya29.a-token"], &[]);
    assert_eq!(watch.everything(&copy), [Some(0); 5]);
    watch.failures(&copy);
    watch.nothing_is_told();
    // None that can stand in a header.
    let broken = "ya29.broken\ntoken-of-somebody";
    let instead = [("GOOGLE_OAUTH_ACCESS_TOKEN", broken)];
    let mut watch = Watch::new(&place, &["token-of-somebody", "ya29.broken"], &instead);
    watch.everything(&copy);
    watch.nothing_is_told();
}

#[test]
fn passwords_of_sftp() {
    let Some(place) = place::sshd("passwords_of_sftp") else { return };
    let copy = Copy::upload(&place, "secrets");
    // The server asks for a key, and would not take it.
    let password = copy.folder.write("password", "tr0ub4dor&3\n").display().to_string();
    let instead = [("PERSEVERE_IDENTITY", ""), ("PERSEVERE_PASSWORD_FILE", &*password)];
    let mut watch = Watch::new(&place, &["tr0ub4dor&3"], &instead);
    assert_eq!(watch.everything(&copy), [Some(2); 5]);
    watch.nothing_is_told();

    let right = copy.folder.write("right", "correct horse\n").display().to_string();
    let wrong = copy.folder.write("wrong", "battery staple\n").display().to_string();
    for (file, codes) in [(&right, [0; 5]), (&wrong, [2; 5])] {
        let key = place.encrypted_key();
        let instead =
            [("PERSEVERE_IDENTITY", &*key), ("PERSEVERE_SFTP_PASSPHRASE_FILE", file.as_str())];
        let secrets = ["correct horse", "battery staple"];
        let mut watch = Watch::new(&place, &secrets, &instead);
        assert_eq!(watch.everything(&copy), codes.map(Some), "{}", watch.told);
        watch.nothing_is_told();
    }
}

#[test]
fn the_password_of_a_proxy() {
    let Some(place) = place::s3s_fs("the_password_of_a_proxy") else { return };
    let copy = Copy::upload(&place, "secrets");
    let address = place.proxy.address();
    let proxy = format!("http://somebody:hunt%23er2-of-proxy@{address}");
    // Nobody knows this host but the proxy, which takes it for the server that it stands before.
    let instead = [("http_proxy", &*proxy), ("AWS_ENDPOINT_URL", "http://s3.example")];
    let secrets = ["hunt%23er2-of-proxy", "hunt#er2-of-proxy", "somebody:hunt#er2-of-proxy"];
    let mut watch = Watch::new(&place, &secrets, &instead);
    assert_eq!(watch.everything(&copy), [Some(0); 5], "{}", watch.told);
    watch.failures(&copy);
    watch.nothing_is_told();
    for broken in ["http://somebody:hunt%23er2-of-proxy@:x", "hunt%23er2-of-proxy@nowhere.invalid"]
    {
        let instead = [("http_proxy", broken), ("AWS_ENDPOINT_URL", "http://s3.example")];
        let mut watch = Watch::new(&place, &secrets, &instead);
        watch.everything(&copy);
        watch.nothing_is_told();
    }
}

/// Whoever writes them where they do not belong, sees them in no error either.
#[test]
fn credentials_in_urls() {
    let Some(place) = place::s3s_fs("credentials_in_urls") else { return };
    let copy = Copy::upload(&place, "secrets");
    let mut watch = Watch::new(&place, &["hunter2-in-url"], &[]);
    for arguments in [
        &["cp", "source", "sftp://me:hunter2-in-url@127.0.0.1:9/file"][..],
        &["ls", "s3://key:hunter2-in-url@bucket/"],
        &["ls", "s3://test/", "--endpoint", "http://me:hunter2-in-url@127.0.0.1:9"],
        &["exists", "s3://test/x", "--endpoint", "me:hunter2-in-url@127.0.0.1"],
        &["rm", "--yes", "az://test/x", "--endpoint", "http://127.0.0.1:9/a?sig=hunter2-in-url"],
    ] {
        assert_ne!(watch.watch(&copy, arguments), Some(0));
        // The arguments themselves are what we have told.
        watch.told = watch.told.replace(&format!("{arguments:?}"), "");
    }
    watch.nothing_is_told();
}
