# The first process of a build: perl -e PROGRAM SECONDS SILENCE OUTPUT PORT COMMAND…
#
# It runs the command as a child in a session of its own, hands its output on, counts it, reaps
# orphans, and ends everything when the time, the silence or the output is over: so a build has its
# limits even while nobody watches. Exit status: up to 119 the command's own (119 for anything
# above); 120 time, 121 silence, 122 output, 123 processes, 124 memory; 143 it was told to stop.
# perl-base has all that is needed, and is essential in Debian.
use strict;
use warnings;
use IO::Socket::INET;
use POSIX qw(:sys_wait_h :signal_h setsid);
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC sleep);

my ($seconds, $silence, $most, $port, @command) = @ARGV;
my $per_line = 32;          # what the engine keeps beside each line
my $most_failed_forks = 100;
my $place = '/build';

sub now { clock_gettime(CLOCK_MONOTONIC) }

# Counts of the control group, in the files of version 2 or of version 1
sub count {
  my ($word, @files) = @_;
  for my $file (@files) {
    open my $handle, '<', $file or next;
    while (<$handle>) { return $1 if /^$word (\d+)/ }
  }
  return 0;
}
sub failed_forks { count('max', '/sys/fs/cgroup/pids.events', '/sys/fs/cgroup/pids/pids.events') }
sub oom_kills {
  count('oom_kill', '/sys/fs/cgroup/memory.events', '/sys/fs/cgroup/memory/memory.oom_control');
}

sub put {
  my ($bytes) = @_;
  while (length $bytes) {
    my $done = syswrite(STDOUT, $bytes);
    if (defined $done) { substr($bytes, 0, $done, '') }
    elsif (!$!{EINTR}) { last }
  }
}

sub finish {
  my ($status, $message) = @_;
  kill 'KILL', -1;           # all but this one, which the kernel spares
  put("cairn: $message\n") if defined $message;
  POSIX::_exit($status);
}

umask 022;
# The engine may tell it to stop; the build, whose signals have a sender, may not
sigaction(SIGTERM, POSIX::SigAction->new(
  sub { finish(143, 'the build was told to stop') if ($_[1]{pid} // 0) == 0 },
  POSIX::SigSet->new, SA_SIGINFO,
));
# Nor may it be traced or have its streams written to by processes of the same user: prctl(PR_SET_DUMPABLE, 0)
my %prctl = (x86_64 => 157, aarch64 => 167, riscv64 => 167, ppc64le => 171, s390x => 172);
my $number = $prctl{(POSIX::uname())[4]};
syscall($number, 4, 0, 0, 0, 0) if $number;
my $start = now();

# The way to the archives is opened from outside, just after the start
if ($port) {
  until (IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port, Timeout => 1)) {
    finish(119, 'the way to the archives was not opened in time') if now() - $start > 60;
    sleep 0.05;
  }
}

pipe(my $reader, my $writer) or finish(119, "no pipe: $!");
my $child = fork;
finish(119, "no process: $!") unless defined $child;
if ($child == 0) {
  $SIG{TERM} = 'DEFAULT';
  setsid();
  chdir "$place/source" or chdir $place;
  open STDIN, '<', '/dev/null';
  open STDOUT, '>&', $writer;
  open STDERR, '>&', $writer;
  close $reader;
  close $writer;
  { no warnings; exec { $command[0] } @command; }
  syswrite(STDERR, "cairn: $command[0] could not be started: $!\n");
  POSIX::_exit(119);
}
close $writer;

my ($status, $heard, $told, $open, $checked) = (undef, now(), 0, 1, now());
while (1) {
  if ($open) {
    my $bits = '';
    vec($bits, fileno($reader), 1) = 1;
    # once the command has ended, only what it has left in the pipe
    my $ready = select($bits, undef, undef, defined $status ? 0 : 0.5);
    if ($ready > 0) {
      my $got = sysread($reader, my $bytes, 8192);
      if (!defined $got) { $open = 0 unless $!{EINTR} }
      elsif ($got == 0) { $open = 0 }
      else {
        $heard = now();
        $told += $got + $per_line * ($bytes =~ tr/\n//);
        put($bytes);
        finish(122, 'the build has printed too much') if $told > $most;
        next if defined $status && now() - $checked < 2;
      }
    }
    last if defined $status && $ready <= 0;
  } elsif (defined $status) { last }
  else { sleep 0.02 }

  while ((my $pid = waitpid(-1, WNOHANG)) > 0) {
    next unless $pid == $child;
    $status = $?;
    $checked = now();
  }
  last if defined $status && now() - $checked > 2;
  next if defined $status;
  my $time = now();
  if ($time - $start > $seconds || $time - $heard > $silence) {
    finish(123, 'the build does not go on, and could not start as many processes as it wanted') if failed_forks() > 0;
    finish(120, "the build has run for $seconds seconds, which is all it may") if $time - $start > $seconds;
    finish(121, "the build has printed nothing for $silence seconds");
  }
  if ($time - $checked > 1) {
    $checked = $time;
    finish(123, 'the build starts processes without end') if failed_forks() > $most_failed_forks;
  }
}

my $code = WIFEXITED($status) ? WEXITSTATUS($status) : 119;
my $message = WIFSIGNALED($status) ? 'the build was killed by signal ' . WTERMSIG($status) : undef;
if ($code != 0) {
  finish(124, 'the build needs more memory than it may have') if oom_kills() > 0;
  finish(123, 'the build needs more processes than it may have') if failed_forks() > 0;
  finish($code > 119 ? 119 : $code, $message // "the build has failed with exit status $code");
}

# What the command has left beside the source is its result, as dpkg-buildpackage does
kill 'KILL', -1;
my $results = "$place/results";
unlink $results if -l $results;
mkdir $results;
opendir(my $folder, $place) or finish(119, "no $place: $!");
for my $name (readdir $folder) {
  my $file = "$place/$name";
  next unless lstat $file and -f _;
  rename $file, "$results/$name" or finish(119, "$name could not be moved: $!");
}
finish(0);
