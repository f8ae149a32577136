# SPDX-License-Identifier: ISC
#
# demo.sh - ./quickstart's part about jumpd: a real sshd on an IPv6 address,
# and jumpd on the IPv4 address in front of it.  It is sourced, and uses
# quickstart's functions and addresses.

jumpd=$PWD/build/jumpd/jumpd

# vm_config yes|no: with PAM or without
vm_config() {
	cat > "$demo/vm.sshd.conf" <<SSHD
ListenAddress [$vm]:$vm_ssh
HostKey $demo/vm_key
AuthorizedKeysFile $demo/user_key.pub
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
StrictModes no
UsePAM $1
PidFile none
Subsystem sftp internal-sftp
SSHD
}

# A real sshd that only speaks IPv6, for us with a key made just now; the
# system's own sshd has no part in it.
vm_sshd() {
	step 'A virtual machine with an sshd that only speaks IPv6'
	for name in vm user; do
		ssh-keygen -q -t ed25519 -N '' -C "$name" \
		    -f "$demo/${name}_key"
	done
	# sshd wants this folder for its own privilege separation.
	test "$(id -u)" -ne 0 || ! mkdir /run/sshd 2>/dev/null ||
	    : > "$demo/run_sshd"
	pam=no
	# Without PAM it lets nobody in whose password is locked.
	if grep -q "^$(id -un):!" /etc/shadow 2>/dev/null; then pam=yes; fi
	vm_config $pam
	start vm /usr/sbin/sshd -D -e -f "$demo/vm.sshd.conf"
	wait_for 30 "grep -q 'Server listening' $demo/vm.log"
	say "It listens on [$vm], port $vm_ssh, and knows our key."
}

jump_host() {
	step 'jumpd, an SSH server on the IPv4 address that only forwards'
	cat > "$demo/vms.map" <<MAP
vm.example      $vm  ssh=$vm_ssh
MAP
	cat > "$demo/jumpd.conf" <<CONF
user = "nobody";
listeners = ( { address = "$front"; port = $jump_ssh; } );
host_keys = { ed25519 = "jump_ed25519"; ecdsa = "jump_ecdsa"; };
authentication = [ "none" ];    # the virtual machine checks our key
mapping_files = [ "vms.map" ];
dns = false;
# The very address: in this demo it is the jump host's own.
allow = ( { prefix = "$vm/128"; ports = [ "22", "$vm_ssh" ]; } );
limits = { connections = 1000; per_source = 50; };
CONF
	say "The mapping, $demo/vms.map:" ''
	quote < "$demo/vms.map"
	say '' "The configuration, $demo/jumpd.conf:" ''
	quote < "$demo/jumpd.conf"
	say '' '-g makes the host keys that are missing, -t tests the file:'
	show "$jumpd -g -f $demo/jumpd.conf"
	show "$jumpd -t -f $demo/jumpd.conf"
	start jumpd "$jumpd" -f "$demo/jumpd.conf"
	jumpd_pid=$started
	wait_for 30 "grep -q 'info: ready' $demo/jumpd.log"
	say '' "jumpd runs now, and says:"
	quote < "$demo/jumpd.log"
}

# What one would have in ~/.ssh; both host keys are verified.
ssh_files() {
	{
		printf '[%s]:%s ' $front "$jump_ssh"
		cat "$demo/jump_ed25519.pub"
		printf 'vm.example '
		cat "$demo/vm_key.pub"
	} > "$demo/known_hosts"
	cat > "$demo/ssh.conf" <<SSH
IdentityFile $demo/user_key
IdentitiesOnly yes
UserKnownHostsFile $demo/known_hosts
GlobalKnownHostsFile none
StrictHostKeyChecking yes
HostKeyAlgorithms ssh-ed25519
BatchMode yes
SSH
	jump="jump@$front:$jump_ssh"
	me=$(id -un)
}

through_jump_host() {
	step 'ssh -J: a session on the virtual machine, through jumpd'
	say 'ssh verifies the host keys of both, and the virtual machine our key.' \
	    'The session is encrypted up to the virtual machine: jumpd cannot read it.'
	ssh="ssh -F $demo/ssh.conf -J $jump"
	show "$ssh $me@vm.example 'echo \$SSH_CONNECTION'" |
	    tee "$demo/shown"
	say '' 'SSH_CONNECTION is who connected to the virtual machine, and where to.'
	grep -q " $vm $vm_ssh\$" "$demo/shown" ||
	    die 'that did not reach the virtual machine'
	say 'scp works as well:'
	dd if=/dev/urandom of="$demo/file" bs=1M count=16 2>/dev/null
	show "scp -q ${ssh#ssh } $demo/file $me@vm.example:$demo/file.copy"
	show "cd $demo && sha256sum file file.copy"
	cmp -s "$demo/file" "$demo/file.copy" || die 'the copy differs'
}

refused_by_jump_host() {
	step 'What jumpd refuses: other targets, and shells'
	show "$ssh -T $me@2001:db8:ffff::1"
	show "$ssh -T $me@127.0.0.1"
	show "ssh -T -F $demo/ssh.conf -p $jump_ssh jump@$front"
}

the_jump_log() {
	step 'What jumpd wrote about all that'
	sleep 0.2
	tail -n +2 "$demo/jumpd.log" | quote
}

ssh_sessions() {
	if test -z "$vm"; then
		step 'SSH'
		say 'jumpd never connects to ::1, and this machine has no' \
		    'other IPv6 address.  Run ./quickstart as root, which' \
		    'may add one for a while, to see jumpd.'
		return
	fi
	vm_ssh=$(first_free 22022)
	jump_ssh=$(first_free 2222)
	vm_sshd
	jump_host
	ssh_files
	through_jump_host
	refused_by_jump_host
	the_jump_log
}
