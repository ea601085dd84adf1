//! Network namespaces, each with a TUN device, and a peer in each.
//!
//! Namespaces belong to threads: a thread enters a new one, makes the device and starts the peer, which inherits the
//! namespace. So neither names nor files are left of it, and no privilege is needed beyond a user namespace.

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::net::Ipv4Addr;
use std::os::fd::AsRawFd;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;

use anyhow::{Context, Result, anyhow, bail, ensure};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{Gid, Uid, geteuid, getgid, getuid};

use crate::peer;
use crate::pki::Pki;

/// Packets that a TUN device holds until the link reads them; the check and every connection's count of losses see if it
/// was too few.
const DEVICE_QUEUE: &str = "30000";

/// What a machine lacks, and how to get it.
pub fn requirements() -> Result<()> {
    let mut lacking = Vec::new();
    if !Path::new("/dev/net/tun").exists() {
        lacking.push(
            "/dev/net/tun is missing: `modprobe tun`, or give the container `--device /dev/net/tun`"
                .to_owned(),
        );
    } else if let Err(error) = OpenOptions::new().read(true).write(true).open("/dev/net/tun") {
        lacking.push(format!("/dev/net/tun: {error}: run as root, or `chmod 666 /dev/net/tun`"));
    }
    if Command::new("ip").arg("-V").stdout(Stdio::null()).stderr(Stdio::null()).status().is_err() {
        lacking.push("the program `ip` is missing: install iproute2".to_owned());
    }
    if !lacking.is_empty() {
        bail!("this machine lacks what the link needs:\n  {}", lacking.join("\n  "));
    }
    Ok(())
}

/// Becomes root in a user namespace of its own unless it is root already. Must be called before there is a second thread.
pub fn become_root() -> Result<()> {
    if geteuid().is_root() {
        return Ok(());
    }
    let (user, group): (Uid, Gid) = (getuid(), getgid());
    unshare(CloneFlags::CLONE_NEWUSER).context(
        "no user namespace for you here: run as root, or allow them \
         (`sysctl kernel.unprivileged_userns_clone=1`, `sysctl kernel.apparmor_restrict_unprivileged_userns=0`)",
    )?;
    fs::write("/proc/self/setgroups", "deny").context("setgroups")?;
    fs::write("/proc/self/uid_map", format!("0 {user} 1")).context("uid_map")?;
    fs::write("/proc/self/gid_map", format!("0 {group} 1")).context("gid_map")?;
    Ok(())
}

mod ioctl {
    // Takes an `ifreq`, of which it reads the name and the flags.
    nix::ioctl_write_ptr_bad!(
        set_interface,
        nix::request_code_write!(b'T', 202, size_of::<nix::libc::c_int>()),
        nix::libc::ifreq
    );
}

/// The TUN device `tun0` of this thread's namespace. Reading it does not block.
fn tun() -> Result<File> {
    let device = OpenOptions::new().read(true).write(true).open("/dev/net/tun").context("/dev/net/tun")?;
    let mut name = [0; nix::libc::IFNAMSIZ];
    for (to, from) in name.iter_mut().zip(b"tun0") {
        *to = *from as nix::libc::c_char;
    }
    let flags = (nix::libc::IFF_TUN | nix::libc::IFF_NO_PI) as nix::libc::c_short;
    let request = nix::libc::ifreq {
        ifr_name: name,
        ifr_ifru: nix::libc::__c_anonymous_ifr_ifru { ifru_flags: flags },
    };
    // SAFETY: TUNSETIFF reads and writes one `ifreq` through the pointer, which is a whole one and outlives the call.
    unsafe { ioctl::set_interface(device.as_raw_fd(), &raw const request) }.context("TUNSETIFF")?;
    let old = nix::fcntl::OFlag::from_bits_retain(nix::fcntl::fcntl(&device, nix::fcntl::FcntlArg::F_GETFL)?);
    nix::fcntl::fcntl(&device, nix::fcntl::FcntlArg::F_SETFL(old | nix::fcntl::OFlag::O_NONBLOCK))?;
    Ok(device)
}

fn ip(arguments: &str) -> Result<()> {
    let output = Command::new("ip").args(arguments.split(' ')).output().context("ip")?;
    ensure!(output.status.success(), "`ip {arguments}`: {}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(())
}

/// Puts netem on this namespace's device, a new one: `DELAY RATE LOSS` in microseconds, bits a second and per cent. A packet has 14
/// bytes of Ethernet, as for the loop.
pub fn netem(words: &[&str]) -> Result<()> {
    let [delay, rate, loss] = words[..] else { bail!("netem {words:?}") };
    let tc = |arguments: &str| Command::new("tc").args(arguments.split(' ')).output().context("tc");
    tc("qdisc del dev tun0 root")?;
    let arguments =
        format!("qdisc add dev tun0 root netem limit 1000 delay {delay}us rate {rate}bit 14 loss {loss}%");
    let output = tc(&arguments)?;
    ensure!(
        output.status.success(),
        "`tc {arguments}`: {}; a kernel without sch_netem cannot do it, leave out --link netem there",
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(())
}

/// Settings of the namespace: what the experiment relies on, and room for many connections at once.
fn sysctls() -> Result<()> {
    let set = |name: &str, value: &str| {
        let path = format!("/proc/sys/net/{}", name.replace('.', "/"));
        fs::write(&path, value).with_context(|| format!("net.{name}={value}"))
    };
    // Nothing learned from one connection may change the next.
    set("ipv4.tcp_no_metrics_save", "1")?;
    set("ipv4.tcp_max_syn_backlog", "65536")?;
    set("ipv4.tcp_syncookies", "0")?;
    set("core.somaxconn", "65536")?;
    set("ipv4.conf.all.rp_filter", "0")?;
    // No router solicitations on the link. A kernel without IPv6 has none.
    let _ = set("ipv6.conf.all.disable_ipv6", "1");
    Ok(())
}

/// Client addresses of a window: 10.(16 w).0.0/12, a million of them.
pub fn client_number(window: usize, n: u32) -> u32 {
    (window as u32) << 20 | (n & 0xf_ffff)
}

/// Which end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Client,
    Server,
}

/// A process that ends when this is dropped.
pub struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A peer and its pipes.
pub struct Peer {
    pub process: Process,
    pub input: ChildStdin,
    pub output: BufReader<ChildStdout>,
}

/// A namespace with a device and a peer that is ready. `windows` are initial congestion windows in segments.
pub fn start(side: Side, windows: &[u32], pki: &Pki) -> Result<(File, Peer)> {
    thread::scope(|scope| {
        let started = scope.spawn(|| start_in_new_namespace(side, windows, pki)).join();
        started.map_err(|_| anyhow!("starting a peer"))?
    })
}

fn start_in_new_namespace(side: Side, windows: &[u32], pki: &Pki) -> Result<(File, Peer)> {
    unshare(CloneFlags::CLONE_NEWNET)
        .context("no network namespace: run as root or allow user namespaces")?;
    sysctls()?;
    let device = tun()?;
    ip("link set lo up")?;
    ip(&format!("link set tun0 up mtu 1500 txqueuelen {DEVICE_QUEUE}"))?;
    for (n, window) in windows.iter().enumerate() {
        let server: Ipv4Addr = peer::server_address(n);
        let clients = peer::client_address(client_number(n, 0));
        match side {
            Side::Client => {
                ip(&format!("route add local {clients}/12 dev lo"))?;
                ip(&format!("route add {server} dev tun0 initcwnd {window}"))?;
            }
            Side::Server => {
                ip(&format!("address add {server}/32 dev lo"))?;
                ip(&format!("route add {clients}/12 dev tun0 initcwnd {window}"))?;
            }
        }
    }
    let program = std::env::current_exe().context("this program")?;
    let mut child = Command::new(program)
        .arg(if side == Side::Client { "--client-peer" } else { "--server-peer" })
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("a peer")?;
    let mut input = child.stdin.take().context("a pipe")?;
    let mut output = BufReader::new(child.stdout.take().context("a pipe")?);
    pki.write(&mut input)?;
    input.flush()?;
    let mut line = String::new();
    output.read_line(&mut line)?;
    ensure!(line == "ready\n", "a peer did not start");
    Ok((device, Peer { process: Process(child), input, output }))
}
