# perl -e PROGRAM PORT: carries connections to 127.0.0.1:PORT over stdin and stdout, to a proxy far away.
#
# A container has no network at all; this is its only way out, and it ends in the controller, which
# decides. Frames in both directions: connection and size as 32 bits each, big-endian, then so many
# bytes; size 0 says that nothing more will come, and of connection 0 that the port is open.
# Connections begin with their first frame.
use strict;
use warnings;
use IO::Socket::INET;

my ($port) = @ARGV;
my $most_connections = 64;
my $most_waiting = 1 << 20;   # bytes that the clients have not read yet

# The one before, whose controller has gone, may take a moment to notice
my $listener;
for (1 .. 200) {
  $listener = IO::Socket::INET->new(
    LocalAddr => '127.0.0.1', LocalPort => $port, Listen => 64, ReuseAddr => 1,
  ) and last;
  select(undef, undef, undef, 0.05);
}
$listener or die "nobody can listen on port $port: $!\n";
$listener->blocking(0);
binmode STDIN;
binmode STDOUT;
$SIG{PIPE} = 'IGNORE';

my (%client, %waiting, %said_all, %heard_all);
my ($input, $next) = ('', 1);

sub send_out {
  my ($id, $bytes) = @_;
  my $frame = pack('NN', $id, length $bytes) . $bytes;
  while (length $frame) {
    my $done = syswrite(STDOUT, $frame);
    if (defined $done) { substr($frame, 0, $done, '') }
    elsif (!$!{EINTR}) { exit 0 }
  }
}

sub forget {
  my ($id) = @_;
  my $socket = delete $client{$id} or return;
  send_out($id, '') unless $said_all{$id};
  close $socket;
  delete $_->{$id} for \%waiting, \%said_all, \%heard_all;
}

sub accept_one {
  my $socket = $listener->accept or return;
  $socket->blocking(0);
  $client{$next++} = $socket;
  $next = 1 if $next > 4_000_000_000;
}

# From a client, outwards
sub listen_to {
  my ($id) = @_;
  my $got = sysread($client{$id}, my $bytes, 65536);
  if (!defined $got) { forget($id) unless $!{EAGAIN} || $!{EINTR} }
  elsif ($got > 0) { send_out($id, $bytes) }
  else {
    send_out($id, '');
    $said_all{$id} = 1;
    forget($id) if $heard_all{$id} && !length($waiting{$id} // '');
  }
}

# From outside, to a client
sub answer {
  my ($id) = @_;
  return unless $client{$id};
  if (length($waiting{$id} // '')) {
    my $done = syswrite($client{$id}, $waiting{$id});
    if (defined $done) { substr($waiting{$id}, 0, $done, '') }
    elsif (!$!{EAGAIN} && !$!{EINTR}) { return forget($id) }
  }
  forget($id) if $heard_all{$id} && !length($waiting{$id} // '');
}

sub take_frames {
  my $got = sysread(STDIN, $input, 262144, length $input);
  exit 0 if defined $got ? $got == 0 : !$!{EINTR};
  while (length $input >= 8) {
    my ($id, $size) = unpack('NN', $input);
    last if length $input < 8 + $size;
    my $bytes = substr($input, 8, $size);
    substr($input, 0, 8 + $size, '');
    next unless $client{$id};
    if ($size) { $waiting{$id} .= $bytes } else { $heard_all{$id} = 1 }
    answer($id);
  }
}

send_out(0, ''); # it listens
while (1) {
  my ($read, $write, $full) = ('', '', 0);
  for my $id (keys %client) {
    my $size = length($waiting{$id} // '');
    vec($write, fileno($client{$id}), 1) = 1 if $size;
    vec($read, fileno($client{$id}), 1) = 1 unless $said_all{$id};
    $full = 1 if $size > $most_waiting;
  }
  vec($read, fileno(STDIN), 1) = 1 unless $full;
  vec($read, fileno($listener), 1) = 1 if keys %client < $most_connections;
  next unless select($read, $write, undef, undef) > 0;
  for my $id (keys %client) {
    answer($id) if vec($write, fileno($client{$id}), 1);
    listen_to($id) if $client{$id} && vec($read, fileno($client{$id}), 1);
  }
  accept_one() if vec($read, fileno($listener), 1);
  take_frames() if vec($read, fileno(STDIN), 1);
}
