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
		[ -e "$file" ] || continue
		file=${file##*/}
		printf '%s\n' "${file%.json}"
	done
}

# The words up to the cursor as they stand on the line: an address is one, also where
# COMP_WORDBREAKS, which is the whole shell's, splits it at its colons.
_vfio_claim_words()
{
	local line=$COMP_LINE word i

	typed=()
	for ((i = 0; i <= COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		if [[ $i != 0 && $line != [[:blank:]]* && ($word == :* || ${typed[-1]} == *:) ]]; then
			typed[-1]+=$word
		else
			typed+=("$word")
		fi
		line=${line#"${line%%[![:blank:]]*}"}
		line=${line#"$word"}
	done
}

# Offers those of the lines of $1 that begin with $cur, quoted: compgen -W would expand them.
_vfio_claim_offer()
{
	local word quoted

	while IFS= read -r word; do
		printf -v quoted %q "$word"
		[[ -z $word || ($word != "$cur"* && $quoted != "$cur"*) ]] || COMPREPLY+=("$quoted")
	done <<<"$1"
}

# Files ($1 is -f) or folders (-d), which readline quotes.
_vfio_claim_files()
{
	compopt -o filenames 2>/dev/null
	mapfile -t COMPREPLY < <(compgen "$1" -- "$cur")
}

_vfio_claim_complete()
{
	local prev=${typed[-2]} command=${typed[1]} parts=()

	[ "$command" != vm ] || [ ${#typed[@]} -lt 3 ] || parts=(vm)
	if [ ${#typed[@]} = $((2 + ${#parts[@]})) ]; then
		_vfio_claim_offer "$(vfio-claim "${parts[@]}" --help 2>/dev/null |
			sed -n 's/^  \([a-z][a-z-]*\)  .*/\1/p'; printf '%s\n' --help --version)"
	elif [ "$prev" = --root ]; then
		_vfio_claim_files -d
	elif [[ $prev == --claim || $prev == --entry || $prev == --no-entry ]]; then
		_vfio_claim_offer "$(_vfio_claim_names)"
	elif [[ $prev == --iso || $prev == --disk || $prev == --rom || $prev == --virtio-win ]]; then
		_vfio_claim_files -f
	elif [[ $cur == -* ]]; then
		_vfio_claim_offer "$(vfio-claim "$command" ${parts:+"${typed[2]}"} --help 2>/dev/null |
			sed -n 's/^  \(--[a-z0-9-]*\).*/\1/p')"
	else
		case $command in
		setup)
			_vfio_claim_offer "$(vfio-claim list 2>/dev/null |
				grep -oE '[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]' | sort -u; _vfio_claim_names)"
			;;
		claim | release) _vfio_claim_offer "$(_vfio_claim_names)" ;;
		args) _vfio_claim_offer $'show\nadd\nremove' ;;
		vm) _vfio_claim_offer "$(_vfio_claim_machines)" ;;
		snapshot) _vfio_claim_files -f ;;
		esac
	fi
}

_vfio_claim()
{
	local typed cur

	COMPREPLY=()
	_vfio_claim_words
	cur=${typed[-1]}
	_vfio_claim_complete
	# readline replaces only what stands behind the last colon
	if [[ $COMP_WORDBREAKS == *:* && $cur == *:* ]]; then
		COMPREPLY=("${COMPREPLY[@]#"${cur%"${cur##*:}"}"}")
	fi
}
complete -F _vfio_claim vfio-claim
