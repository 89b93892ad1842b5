# SPDX-License-Identifier: GPL-2.0-or-later
# bash completion for vfio-claim(8). Commands and options are asked of the program itself.

_vfio_claim_names()
{
	sed -n 's/^[[:blank:]]*\[claim[[:blank:]]\+\([^] ]*\).*/\1/p' /etc/vfio-claim.conf 2>/dev/null
}

# those that vfio-claim vm create made
_vfio_claim_machines()
{
	local file

	for file in /var/lib/vfio-claim/vm/*.json; do
		file=${file##*/}
		printf '%s\n' "${file%.json}"
	done
}

_vfio_claim()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} words=
	local command=${COMP_WORDS[1]} parts=()

	COMPREPLY=()
	[ "$command" != vm ] || [ "$COMP_CWORD" -lt 2 ] || parts=(vm)
	if [ "$COMP_CWORD" = $((1 + ${#parts[@]})) ]; then
		words=$(vfio-claim "${parts[@]}" --help 2>/dev/null | sed -n 's/^  \([a-z][a-z-]*\)  .*/\1/p')
		words+=' --help --version'
	elif [ "$prev" = --root ]; then
		mapfile -t COMPREPLY < <(compgen -d -- "$cur")
		return
	elif [[ $prev == --claim || $prev == --entry || $prev == --no-entry ]]; then
		words=$(_vfio_claim_names)
	elif [[ $prev == --iso || $prev == --disk || $prev == --rom || $prev == --virtio-win ]]; then
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
	elif [[ $cur == -* ]]; then
		words=$(vfio-claim "$command" ${parts:+"${COMP_WORDS[2]}"} --help 2>/dev/null |
			sed -n 's/^  \(--[a-z0-9-]*\).*/\1/p')
	else
		case $command in
		setup)
			words=$(vfio-claim list 2>/dev/null |
				grep -oE '[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]' | sort -u; _vfio_claim_names)
			COMP_WORDBREAKS=${COMP_WORDBREAKS//:/}
			;;
		claim | release)
			words=$(_vfio_claim_names)
			;;
		args) words='show add remove' ;;
		vm) words=$(_vfio_claim_machines) ;;
		snapshot)
			mapfile -t COMPREPLY < <(compgen -f -- "$cur")
			return
			;;
		esac
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}
complete -F _vfio_claim vfio-claim
