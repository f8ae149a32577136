# SPDX-License-Identifier: ISC
#
# demo.sh - ./quickstart's part about xlatd: a host that has IPv6 only and a
# host that has IPv4 only, each in a network namespace, read each other's
# pages through xlatd in a third.  It is sourced, and uses quickstart's
# functions; what it starts is in $demo/processes and $demo/networks.

xlatd=$PWD/build/translate/xlatd
six=popgate-six relay=popgate-relay four=popgate-four

# Why this cannot be shown here; nothing if it can.
packets_obstacle() {
	if test "$(id -u)" -ne 0; then
		echo 'making network namespaces takes root: sudo ./quickstart'
	elif ! test -c /dev/net/tun; then
		echo '/dev/net/tun is not there: "modprobe tun", or, in a' \
		    'container, give it that device'
	elif ! (exec 3<>/dev/net/tun) 2>/dev/null; then
		echo '/dev/net/tun cannot be opened: a container has to be' \
		    'given that device'
	elif ip netns add $six-try 2>/dev/null; then
		ip netns del $six-try
	else
		echo 'this system lets root make no network namespaces:' \
		    "$(ip netns add $six-try 2>&1)"
	fi
}

# at HOST COMMAND...: run it there
at() {
	host=$1
	shift
	ip netns exec "$host" "$@"
}

# start_at HOST NAME COMMAND...: like start
start_at() {
	host=$1 name=$2
	shift 2
	setsid ip netns exec "$host" "$@" </dev/null \
	    >>"$demo/$name.log" 2>&1 &
	echo "$! ${1##*/}" >> "$demo/processes"
	started=$!
}

# Another demo may be up.
choose_hosts() {
	for n in '' 2 3 4 5 6 7 8 9; do
		ip netns add popgate-six$n 2>/dev/null || continue
		six=popgate-six$n relay=popgate-relay$n four=popgate-four$n
		echo $six >> "$demo/networks"
		for host in $relay $four; do
			ip netns add $host
			echo $host >> "$demo/networks"
		done
		return
	done
	die 'there are nine demos already: ip netns list'
}

cables() {
	for host in $six $relay $four; do
		ip -n $host link set lo up
	done
	ip -n $relay link add six type veth peer name eth0 netns $six
	ip -n $relay link add four type veth peer name eth0 netns $four
	for link in six four; do
		ip -n $relay link set $link up
	done
	at $relay sh -c 'echo 1 > /proc/sys/net/ipv4/ip_forward &&
	    echo 1 > /proc/sys/net/ipv6/conf/all/forwarding'

	ip -n $six link set eth0 up
	ip -n $six address add 2001:db8:6::2/64 dev eth0 nodad
	ip -n $relay address add 2001:db8:6::1/64 dev six nodad
	ip -n $six -6 route add default via 2001:db8:6::1

	at $four sh -c 'echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6'
	ip -n $four link set eth0 up
	ip -n $four address add 198.51.100.2/24 dev eth0
	ip -n $relay address add 198.51.100.1/24 dev four
	ip -n $four route add default via 198.51.100.1
}

# page_server HOST NAME ADDRESS: tells visitors how it sees them
page_server() {
	mkdir "$demo/$2"
	cat > "$demo/$2.nginx.conf" <<NGINX
daemon off; worker_processes 1; pid $demo/$2/nginx.pid;
error_log stderr; user nobody nogroup;
events { }
http {
	access_log off; default_type text/plain; sendfile on;
	client_body_temp_path $demo/$2/1; proxy_temp_path $demo/$2/2;
	fastcgi_temp_path $demo/$2/3; uwsgi_temp_path $demo/$2/4;
	scgi_temp_path $demo/$2/5;
	server {
		listen $3:80;
		root $demo/www;
		location = / {
			return 200 "This is $3.  You come from \$remote_addr.\n";
		}
	}
}
NGINX
	start_at "$1" "$2" nginx -p "$demo" -c "$demo/$2.nginx.conf" -e stderr
	wait_for 30 "ip netns exec $1 curl -s --noproxy '*' http://$3/"
}

translator() {
	cat > "$demo/xlatd.conf" <<CONF
user = "nobody";
log_drops = true;
instances = ( {
	device = "siit";
	setup = true;
	ipv4_address = "192.0.2.1";
	ipv6_address = "2001:db8:64::c000:201";
	prefixes = ( { prefix = "2001:db8:64::/96"; } );
	mapping = [ "192.0.2.6  2001:db8:6::2" ];
	routes = [ "192.0.2.0/24", "2001:db8:64::/96" ];
} );
CONF
	say '' "xlatd's configuration, $demo/xlatd.conf:" ''
	quote < "$demo/xlatd.conf"
	show "$xlatd -t -f $demo/xlatd.conf"
	start_at $relay xlatd "$xlatd" -f "$demo/xlatd.conf"
	xlatd_pid=$started
	wait_for 30 "grep -q 'info: ready' $demo/xlatd.log"
}

# fetches HOST ADDRESS TEXT: shows a page, which must have TEXT
fetches() {
	command="ip netns exec $1 curl -s --noproxy '*' http://$2/"
	show "$command"
	sh -c "$command" | grep -qF "$3" || die "no page from $2"
}

download() {
	url="http://[2001:db8:64::198.51.100.2]/big"
	printf '\n  $ %s\n' "ip netns exec $six curl -s -o $demo/copy $url"
	at $six curl -s --noproxy '*' -o "$demo/copy" \
	    -w '64 MiB in %{time_total} s\n' "$url" | quote
	cmp -s "$demo/www/big" "$demo/copy" || die 'the copy differs'
	rm -f "$demo/copy"
}

packets() {
	step 'xlatd: a host with IPv6 only and a host with IPv4 only'
	obstacle=$(packets_obstacle)
	if test -n "$obstacle"; then
		say "This is not shown: $obstacle."
		return
	fi
	choose_hosts
	cables
	say 'Three network namespaces:' '' \
	    '    popgate-six           popgate-relay           popgate-four' \
	    '    2001:db8:6::2 ------- xlatd, and routes ----- 198.51.100.2' \
	    '    192.0.2.6 to IPv4                             2001:db8:64::198.51.100.2 to IPv6' \
	    | sed "s/popgate-\(six\|relay\|four\)/&${six#popgate-six}/"
	translator
	page_server $six six '[2001:db8:6::2]'
	page_server $four four 198.51.100.2

	step 'The IPv6-only host reads a page of the IPv4-only one'
	fetches $six '[2001:db8:64::198.51.100.2]' 'come from 192.0.2.6.'
	step 'And the other way round'
	fetches $four 192.0.2.6 'come from 2001:db8:64::c633:6402.'
	step 'A download; the kernel hands xlatd super-packets of up to 64 KiB'
	download
	step 'An address that nobody has is refused at once'
	show "ip netns exec $four curl -sS --noproxy '*' -m 5 http://192.0.2.7/"
	step 'What xlatd wrote about all that'
	kill -USR1 "$xlatd_pid"
	wait_for 30 "grep -q 'info: dropped ' $demo/xlatd.log"
	quote < "$demo/xlatd.log"
}
