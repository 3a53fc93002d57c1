# Tries to get out of the sandbox that it runs in, by one system call each; prints `<name> TAB closed|open TAB <detail>`.
# Perl, because it is on every machine with git and makes any system call. Started by quick.ts.
# usage: perl ways-out.pl ARCHITECTURE NAMESPACES PATH...   NAMESPACES: the host's, as `mnt:[1] net:[2] …`; PATH: must not be there
use strict;
use warnings;
use Errno;
use Socket;

my ($architecture, $namespaces, @hidden) = @ARGV;
my $arm = $architecture eq 'aarch64';
my %call = $arm
  ? (mount => 40, unshare => 97, setns => 268, keyctl => 219, bpf => 280, io_uring => 425, perf => 241, userfaultfd => 282)
  : (mount => 165, unshare => 272, setns => 308, keyctl => 250, bpf => 321, io_uring => 425, perf => 298, userfaultfd => 323);
use constant { EPERM => 1, CLONE_NEWUSER => 0x10000000, TIOCSTI => 0x5412, NONBLOCK => 2048 };

sub tell_result { my ($name, $open, $detail) = @_; print "$name\t", ($open ? 'open' : 'closed'), "\t$detail\n"; }

# A connection or a datagram must be refused by the network at once: there is no way to anywhere.
sub reach {
  my ($name, $family, $type, $address) = @_;
  my $socket;
  return tell_result($name, 0, "no socket: $!") unless socket($socket, $family, $type | NONBLOCK, 0);
  my $sent = $type == SOCK_DGRAM ? defined send($socket, "\0" x 12, 0, $address) : connect($socket, $address);
  tell_result($name, $sent || $!{EINPROGRESS}, $sent ? 'sent' : "$!");
}
reach('metadata address', AF_INET, SOCK_STREAM, pack_sockaddr_in(80, inet_aton('169.254.169.254')));
reach('address on the internet', AF_INET, SOCK_STREAM, pack_sockaddr_in(443, inet_aton('1.1.1.1')));
reach('DNS', AF_INET, SOCK_DGRAM, pack_sockaddr_in(53, inet_aton('8.8.8.8')));
reach('UDP', AF_INET, SOCK_DGRAM, pack_sockaddr_in(123, inet_aton('192.0.2.1')));
reach('IPv6', AF_INET6, SOCK_STREAM, Socket::pack_sockaddr_in6(443, Socket::inet_pton(AF_INET6, '2606:4700:4700::1111')));

# Families of sockets that know nothing of network namespaces (40 is VSOCK, the way to a hypervisor), or look at raw packets.
for ([ 'VSOCK', 40, SOCK_STREAM ], [ 'packet socket', 17, SOCK_RAW ], [ 'raw socket', AF_INET, SOCK_RAW ]) {
  my ($name, $family, $type) = @$_;
  my $socket;
  my $made = socket($socket, $family, $type, $family == AF_INET ? 1 : 0);
  tell_result($name, $made, $made ? 'made' : "$!");
}

# The kernel must refuse these before it looks at their arguments (the filter's EPERM).
sub refused { my ($name, @arguments) = @_; my $result = syscall($call{$name}, @arguments); return ($result == -1 && $! == EPERM, $result == -1 ? "$!" : 'done'); }
my @none = (0, 0, 0, 0, 0);
for ([ 'new user namespace', 'unshare', CLONE_NEWUSER ], [ 'mount', 'mount', @none ], [ 'keyring', 'keyctl', 0, 0, 0, 0, 0 ],
     [ 'other namespace', 'setns', 0, 0 ], [ 'BPF', 'bpf', 0, 0, 0 ], [ 'io_uring', 'io_uring', 1, 0 ],
     [ 'performance events', 'perf', 0, 0, -1, -1, 0 ], [ 'userfaultfd', 'userfaultfd', 0 ]) {
  my ($name, @try) = @$_;
  my ($closed, $detail) = refused(@try);
  tell_result($name, !$closed, $detail);
}
my $character = 'x';
my $typed = ioctl(STDIN, TIOCSTI, $character);
tell_result('typing into the terminal', $typed || $! != EPERM, $typed ? 'done' : "$!");

# Namespaces: none may be the host's.
my %host = map { /^(\w+):/ ? ($1 => $_) : () } split ' ', $namespaces;
my @shared = grep { (readlink("/proc/self/ns/$_") // '') eq $host{$_} } keys %host;
tell_result('namespaces of the host', scalar @shared, @shared ? "shared: @shared" : 'all are its own');

my @processes = grep { m{/\d+$} } glob '/proc/[0-9]*';
tell_result('processes of others', @processes > 16, scalar(@processes) . ' processes to be seen');

my %status = map { /^(\w+):\s*(\S+)/ ? ($1 => $2) : () } do { open my $file, '<', '/proc/self/status' or die; <$file> };
my $rights = hex($status{CapEff}) | hex($status{CapPrm}) | hex($status{CapInh}) | hex($status{CapAmb});
tell_result('capabilities', $rights != 0 || $status{NoNewPrivs} != 1, "effective $status{CapEff}, no_new_privs $status{NoNewPrivs}");

# Files.
my @seen = grep { -e } @hidden, '/root/.ssh', '/var/run/docker.sock', '/run/docker.sock', '/sys/kernel', '/etc/shadow';
tell_result('files of the host', scalar @seen, @seen ? "to be seen: @seen" : 'none to be seen');
my @writable = grep { open my $file, '>>', $_ } '/usr/.autocode', '/etc/passwd', '/etc/.autocode', '/dev/.autocode', '/.autocode',
  '/opt/autocode/agents/.autocode', '/opt/autocode/node/node', '/proc/sys/kernel/core_pattern', '/proc/sysrq-trigger';
tell_result('files outside the work tree', scalar @writable, @writable ? "writable: @writable" : 'none is writable');
my @descriptors = grep { readlink("/proc/self/fd/$_") } map { m{(\d+)$} } glob '/proc/self/fd/*';
my @left = grep { $_ > 2 && (readlink("/proc/self/fd/$_") // '') !~ m{^/proc/\d+/fd$} } @descriptors;
tell_result('open files of the runner', scalar @left, @left ? 'inherited: ' . join(', ', map { readlink "/proc/self/fd/$_" } @left) : 'none inherited');
