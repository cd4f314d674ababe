/** A program in Perl: asks a host for a page, directly, through the proxy, or through a tunnel of it; 0 is for an answer of 200. */
export const ask = `
use strict; use IO::Socket::INET;
my ($way, $host, $port, $path) = @ARGV;
$path //= "/";
my ($to, $at) = $way eq "direct" ? ($host, $port) : ("127.0.0.1", 3142);
my $s = IO::Socket::INET->new(PeerAddr => $to, PeerPort => $at, Timeout => 3) or exit 1;
my $end = "Host: $host:$port\\r\\nConnection: close\\r\\n\\r\\n";
if ($way eq "direct") { print $s "GET $path HTTP/1.1\\r\\n$end" }
elsif ($way eq "proxy") { print $s "GET http://$host:$port$path HTTP/1.1\\r\\n$end" }
else { print $s "CONNECT $host:$port HTTP/1.1\\r\\n$end"; print $s "GET $path HTTP/1.1\\r\\n$end" }
local $/; my $answer = <$s> // "";
exit($answer =~ /^HTTP\\/1.1 200/ ? 0 : 1);
`;
