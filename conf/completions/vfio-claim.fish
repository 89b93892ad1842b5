# SPDX-License-Identifier: GPL-2.0-or-later
# fish completion for vfio-claim(8). Commands and options are asked of the program itself.

function __vfio_claim_commands
    vfio-claim --help 2>/dev/null | string replace -rf '^  ([a-z][a-z-]*)  +(.*)' '$1\t$2'
end

function __vfio_claim_options
    set -l words (commandline -opc)
    set -l command $words[2]
    test "$command" = vm
    and set -a command $words[3]
    vfio-claim $command --help 2>/dev/null |
        string replace -rf '^  (--[a-z0-9-]*)[^ ]*(?: [^ ]+)? +(.*)' '$1\t$2'
end

function __vfio_claim_vm_commands
    vfio-claim vm --help 2>/dev/null | string replace -rf '^  ([a-z][a-z-]*)  +(.*)' '$1\t$2'
end

function __vfio_claim_machines
    # a list may be empty where an argument may not
    set -l files /var/lib/vfio-claim/vm/*.json
    string replace -rf '.*/(.*)\.json$' '$1' $files
end

function __vfio_claim_functions
    vfio-claim list 2>/dev/null |
        string match -arg '([0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7])' | sort -u
end

function __vfio_claim_names
    test -r /etc/vfio-claim.conf
    and string replace -rf '^\s*\[claim\s+([^\] ]*).*' '$1' </etc/vfio-claim.conf
end

complete -c vfio-claim -f
complete -c vfio-claim -n '__fish_is_nth_token 1' -a '(__vfio_claim_commands)'
complete -c vfio-claim -n 'not __fish_is_nth_token 1; and string match -q -- "-*" (commandline -ct)' \
    -a '(__vfio_claim_options)'
complete -c vfio-claim -n '__fish_seen_subcommand_from setup' -a '(__vfio_claim_functions)'
complete -c vfio-claim -n '__fish_seen_subcommand_from setup claim release' -a '(__vfio_claim_names)'
complete -c vfio-claim -n '__fish_seen_subcommand_from setup' -l entry -x -a '(__vfio_claim_names)'
complete -c vfio-claim -n '__fish_seen_subcommand_from setup' -l no-entry -x -a '(__vfio_claim_names)'
complete -c vfio-claim -n '__fish_seen_subcommand_from args' -a 'show add remove'
complete -c vfio-claim -n '__fish_seen_subcommand_from snapshot' -F
complete -c vfio-claim -n '__fish_seen_subcommand_from vm; and __fish_is_nth_token 2' \
    -a '(__vfio_claim_vm_commands)'
complete -c vfio-claim -n '__fish_seen_subcommand_from vm; and not __fish_is_nth_token 2' \
    -a '(__vfio_claim_machines)'
complete -c vfio-claim -n '__fish_seen_subcommand_from vm' -l claim -x -a '(__vfio_claim_names)'
complete -c vfio-claim -n '__fish_seen_subcommand_from vm' -l iso -r -F
complete -c vfio-claim -n '__fish_seen_subcommand_from vm' -l disk -r -F
complete -c vfio-claim -n '__fish_seen_subcommand_from vm' -l rom -r -F
