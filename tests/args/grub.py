# SPDX-License-Identifier: GPL-2.0-or-later
"""/etc/default/grub as it is found in the wild: a shell sources it before and after."""
import os
import subprocess

from tree import Tree, check, refuses, there_and_back, words

ADDED = ["intel_iommu=on", "iommu=pt"]
KEY = "GRUB_CMDLINE_LINUX"

# What both backends take. Where a file has `quiet`, it is taken out once, too.
PLAIN = {
    "debian": """\
# If you change this file, run 'update-grub' afterwards
GRUB_DEFAULT=0
GRUB_TIMEOUT=5
GRUB_DISTRIBUTOR=`lsb_release -i -s 2> /dev/null || echo Debian`
GRUB_CMDLINE_LINUX_DEFAULT="quiet"
GRUB_CMDLINE_LINUX=""
#GRUB_TERMINAL=console
""",
    "debian-13": """\
GRUB_DISTRIBUTOR=`( . /etc/os-release && echo ${NAME} )`
GRUB_CMDLINE_LINUX_DEFAULT="quiet"
GRUB_CMDLINE_LINUX=""
""",
    "ubuntu-24.04": """\
GRUB_DISTRIBUTOR=`( . /etc/os-release; echo ${NAME:-Ubuntu} ) 2>/dev/null || echo Ubuntu`
GRUB_CMDLINE_LINUX_DEFAULT="quiet splash"
GRUB_CMDLINE_LINUX=""
""",
    "fedora": """\
GRUB_DISTRIBUTOR="$(sed 's, release .*$,,g' /etc/system-release)"
GRUB_CMDLINE_LINUX="rhgb quiet"
GRUB_ENABLE_BLSCFG=false
""",
    "arch": """\
GRUB_CMDLINE_LINUX_DEFAULT="loglevel=3 quiet"
GRUB_CMDLINE_LINUX=""
GRUB_PRELOAD_MODULES="part_gpt part_msdos"
#GRUB_THEME="/path/to/gfxtheme"
""",
    "empty-file": "",
    "only-comments": "# nothing\n#GRUB_CMDLINE_LINUX=\"no\"\n",
    "only-comments-no-newline": "# nothing\n# GRUB_CMDLINE_LINUX=no",
    "no-default-key": "GRUB_CMDLINE_LINUX=\"quiet\"\n",
    "no-linux-key": "GRUB_CMDLINE_LINUX_DEFAULT=\"quiet\"\n",
    "neither-key": "GRUB_TIMEOUT=5\n",
    "no-newline-at-end": "GRUB_CMDLINE_LINUX=\"quiet\"",
    "no-newline-no-linux-key": "GRUB_CMDLINE_LINUX_DEFAULT=\"quiet\"",
    "single-quotes": "GRUB_CMDLINE_LINUX='quiet splash'\n",
    "single-quotes-empty": "GRUB_CMDLINE_LINUX=''\n",
    "single-quotes-with-double": "GRUB_CMDLINE_LINUX='quiet dyndbg=\"file a +p\"'\n",
    "no-quotes": "GRUB_CMDLINE_LINUX=quiet\n",
    "no-quotes-no-newline": "GRUB_CMDLINE_LINUX=quiet",
    "no-value": "GRUB_CMDLINE_LINUX=\nGRUB_TIMEOUT=1\n",
    "no-value-no-newline": "GRUB_CMDLINE_LINUX=",
    "escaped-quotes": "GRUB_CMDLINE_LINUX=\"quiet dyndbg=\\\"file drivers/pci/* +p\\\" a=b\"\n",
    "escaped-quotes-at-end": "GRUB_CMDLINE_LINUX=\"quiet dyndbg=\\\"file x +p\\\"\"\n",
    "escaped-dollar": "GRUB_CMDLINE_LINUX=\"quiet \\$vfio_claim_mode\"\n",
    "escaped-backslash": "GRUB_CMDLINE_LINUX=\"quiet a=\\\\\\\\b\"\n",
    "backslash-kept-in-quotes": "GRUB_CMDLINE_LINUX=\"quiet a=\\b\"\n",
    "comment-after": "GRUB_CMDLINE_LINUX=\"quiet\" # say \"nothing\", 'please' `x\n",
    "comment-after-no-quotes": "GRUB_CMDLINE_LINUX=quiet # GRUB_CMDLINE_LINUX=\"x\"\n",
    "comment-no-newline": "GRUB_CMDLINE_LINUX=quiet\t# x",
    "hash-in-a-word": "GRUB_CMDLINE_LINUX=quiet#x\n",
    "hash-in-quotes": "GRUB_CMDLINE_LINUX=\"quiet #x\"\n",
    "appended-to-itself": """\
GRUB_CMDLINE_LINUX="quiet"
GRUB_CMDLINE_LINUX="$GRUB_CMDLINE_LINUX splash"
""",
    "appended-to-itself-braces": """\
GRUB_CMDLINE_LINUX="quiet"
GRUB_CMDLINE_LINUX="${GRUB_CMDLINE_LINUX} splash"
""",
    "put-before-itself": """\
GRUB_CMDLINE_LINUX="quiet"
GRUB_CMDLINE_LINUX="splash $GRUB_CMDLINE_LINUX"
""",
    "appended-no-quotes": """\
GRUB_CMDLINE_LINUX=quiet
GRUB_CMDLINE_LINUX=$GRUB_CMDLINE_LINUX\\ splash
""",
    "twice": "GRUB_CMDLINE_LINUX=\"quiet no\"\nGRUB_CMDLINE_LINUX=\"quiet yes\"\n",
    "twice-commented": "#GRUB_CMDLINE_LINUX=\"no\"\nGRUB_CMDLINE_LINUX=\"quiet\"\n",
    "three-times": ("GRUB_CMDLINE_LINUX=a\nGRUB_CMDLINE_LINUX='b'\n"
                    "GRUB_CMDLINE_LINUX=\"quiet\"\n"),
    "default-is-appended": """\
GRUB_CMDLINE_LINUX_DEFAULT="quiet"
GRUB_CMDLINE_LINUX_DEFAULT="$GRUB_CMDLINE_LINUX_DEFAULT crashkernel=512M-:192M"
""",
    "another-variable": "WORDS=\"splash ro\"\nGRUB_CMDLINE_LINUX=\"quiet $WORDS\"\n",
    "unset-variable": "GRUB_CMDLINE_LINUX=\"quiet $NOBODY_SETS_THIS\"\n",
    "amd-iommu-off": "GRUB_CMDLINE_LINUX=\"quiet amd_iommu=off\"\n",
    "prefix-of-a-word": "GRUB_CMDLINE_LINUX=\"xiommu=pt iommu=pt2 iommu quiet\"\n",
    "duplicate-word": "GRUB_CMDLINE_LINUX=\"quiet ro quiet\"\n",
    "word-in-both-keys": ("GRUB_CMDLINE_LINUX=\"quiet\"\n"
                          "GRUB_CMDLINE_LINUX_DEFAULT=\"quiet splash\"\n"),
    "several-spaces": "GRUB_CMDLINE_LINUX=\"  ro   quiet  \"\n",
    "one-space": "GRUB_CMDLINE_LINUX=\" \"\n",
    "tabs": "GRUB_CMDLINE_LINUX=\"ro\tquiet\t\"\n",
    "continuation": "GRUB_CMDLINE_LINUX=\"ro \\\nquiet \\\n splash\"\n",
    "continuation-in-a-word": "GRUB_CMDLINE_LINUX=\"ro sp\\\nlash\"\n",
    "continuation-no-quotes": "GRUB_CMDLINE_LINUX=ro\\\nquiet\n",
    "export": "export GRUB_CMDLINE_LINUX=\"quiet\"\n",
    "export-later": "GRUB_CMDLINE_LINUX=\"quiet\"\nexport GRUB_CMDLINE_LINUX\n",
    "export-two": "export GRUB_TIMEOUT=5 GRUB_CMDLINE_LINUX=\"quiet\"\n",
    "two-on-a-line": "GRUB_TIMEOUT=5 GRUB_CMDLINE_LINUX=\"quiet\"\n",
    "semicolon": "GRUB_TIMEOUT=5;GRUB_CMDLINE_LINUX=\"quiet\";GRUB_X=1\n",
    "indented": "  GRUB_CMDLINE_LINUX=\"quiet\"\n",
    "quotes-in-pieces": "GRUB_CMDLINE_LINUX=\"ro \"'quiet'\" splash\"\n",
    "pieces-end-bare": "GRUB_CMDLINE_LINUX=\"ro \"quiet\n",
    "empty-quotes-at-end": "GRUB_CMDLINE_LINUX=ro\"\"\n",
    "if-around-others": """\
if [ -x /usr/bin/true ]; then
	GRUB_TIMEOUT=3
else
	GRUB_TIMEOUT=4
fi
GRUB_CMDLINE_LINUX="quiet"
""",
    "case-around-others": """\
case x in
a|b) GRUB_TIMEOUT=3 ;;
*)
	GRUB_TIMEOUT=4
	;;
esac
GRUB_CMDLINE_LINUX="quiet"
""",
    "loop-and-subshell": """\
for i in 1 2; do GRUB_TIMEOUT=$i; done
( GRUB_TIMEOUT=7 )
while false; do :; done
GRUB_CMDLINE_LINUX="quiet"
""",
    "function-of-others": "set_it() {\n\tGRUB_TIMEOUT=3\n}\nset_it\nGRUB_CMDLINE_LINUX=quiet\n",
    "redirection": "echo x >/dev/null 2>&1\nGRUB_CMDLINE_LINUX=\"quiet\"\n",
    "read-only-use": "GRUB_CMDLINE_LINUX=\"quiet\"\necho \"$GRUB_CMDLINE_LINUX\" >/dev/null\n",
    "key-with-dashes": "GRUB_CMDLINE_LINUX=\"quiet rd.driver-pre=x\"\n",
    "utf-8": "# größer\nGRUB_CMDLINE_LINUX=\"quiet grüße=süß\"\n",
}

# What grub-default refuses, with a part of what it must say. A drop-in does not need to edit
# such a file, and takes the words all the same; `quiet` cannot be taken out there.
REFUSED = {
    "in-a-function": ("f() {\n\tGRUB_CMDLINE_LINUX=\"quiet\"\n}\nf\n", "grub:2"),
    "in-an-if": ("if true; then\nGRUB_CMDLINE_LINUX=\"quiet\"\nfi\n", "grub:2"),
    "in-an-if-after": ("GRUB_CMDLINE_LINUX=\"quiet\"\nif true; then\n"
                       "  GRUB_CMDLINE_LINUX=\"$GRUB_CMDLINE_LINUX x\"\nfi\n", "grub:3"),
    "in-a-case": ("case a in\na) GRUB_CMDLINE_LINUX=\"quiet\" ;;\nesac\n", "grub:2"),
    "in-a-loop": ("for i in 1; do GRUB_CMDLINE_LINUX=\"quiet\"; done\n", "grub:1"),
    "in-braces": ("{ GRUB_CMDLINE_LINUX=\"quiet\"; }\n", "grub:1"),
    "after-and": ("GRUB_CMDLINE_LINUX=ro\ntrue && GRUB_CMDLINE_LINUX=\"quiet\"\n", "grub:2"),
    "after-or": ("false || GRUB_CMDLINE_LINUX=\"quiet\"\n", "grub:1"),
    "eval": ("eval 'GRUB_CMDLINE_LINUX=\"quiet\"'\n", "grub:1"),
    "sourced": ("GRUB_CMDLINE_LINUX=\"quiet\"\n. /dev/null\n", "grub:2"),
    "unset": ("GRUB_CMDLINE_LINUX=\"quiet\"\n[ -e /nowhere ] && unset GRUB_CMDLINE_LINUX\n",
              "grub:2"),
    "backticks": ("GRUB_CMDLINE_LINUX=\"quiet `echo x`\"\n", "grub:1"),
    "dollar-paren": ("GRUB_CMDLINE_LINUX=\"quiet $(echo \"a b\")\"\n", "grub:1"),
    "arithmetic": ("GRUB_CMDLINE_LINUX=\"quiet x=$((1 + 1))\"\n", "grub:1"),
    "default-expansion": ("GRUB_CMDLINE_LINUX=\"quiet ${NOBODY:-x}\"\n", "grub:1"),
    "crlf": ("GRUB_TIMEOUT=1\r\nGRUB_CMDLINE_LINUX=\"quiet\"\r\n", "grub:2"),
    "line-break-in-value": ("GRUB_CMDLINE_LINUX=\"ro\nquiet\"\n", "grub:"),
    "after-a-double-dash": ("GRUB_CMDLINE_LINUX=\"ro -- quiet\"\n", "--"),
}

# What nobody can read; a drop-in's effect cannot be told either.
BROKEN = {
    "open-quote": ("GRUB_CMDLINE_LINUX=\"quiet\nX=1\n", "grub:"),
    "open-backtick": ("GRUB_CMDLINE_LINUX=\"quiet\"\nX=`y\n", "grub:"),
    "open-if": ("if true; then\nGRUB_CMDLINE_LINUX=\"quiet\"\n", "grub:"),
    "here-document": ("cat <<END\nGRUB_CMDLINE_LINUX=\"quiet\"\nEND\n", "grub:1"),
    "array": ("GRUB_CMDLINE_LINUX=(quiet)\n", "grub:1"),
}


def sourced(tree, shell, drop_ins):
    """What a real shell makes of it: the words of both keys."""
    script = ". ./etc/default/grub 2>/dev/null; "
    if drop_ins:
        script += "for x in etc/default/grub.d/*.cfg; do [ ! -e $x ] || . ./$x; done; "
    script += f"printf '%s\\n--\\n%s' \"${KEY}\" \"${KEY}_DEFAULT\""
    done = subprocess.run([*shell, "-c", script], cwd=tree.root, capture_output=True,
                          check=True, env={"PATH": "/usr/bin:/bin"})
    linux, default = done.stdout.decode().split("\n--\n")
    return words(linux) + words(default)


class Grub:
    """One of the two backends."""

    def __init__(self, drop_ins):
        self.drop_ins = drop_ins
        self.shell = ["dash"] if drop_ins else ["bash", "--posix"]

    def tree(self, text):
        files = {"etc/default/grub": text, "boot/grub/grub.cfg": "",
                 "proc/cmdline": "BOOT_IMAGE=/vmlinuz root=/dev/sda1 ro quiet\n",
                 "etc/os-release": "ID=arch\n"}
        if self.drop_ins:
            files["etc/os-release"] = "ID=ubuntu\nID_LIKE=debian\n"
            files["etc/default/grub.d/50-cloudimg-settings.cfg"] = (
                "GRUB_TIMEOUT=0\nGRUB_CMDLINE_LINUX=\"$GRUB_CMDLINE_LINUX console=ttyS0\"\n")
            files["etc/default/grub.d/91-vfio-claim-safe.cfg"] = (
                "GRUB_CMDLINE_LINUX=\"$GRUB_CMDLINE_LINUX \\$vfio_claim_mode\"\n")
        return Tree(files)

    def words(self, tree):
        return sourced(tree, self.shell, self.drop_ins)

    def check_words(self, tree, expected, what):
        found = self.words(tree)
        check(found == expected, f"{what}: sh has {found}, not {expected}")

    def adds(self, tree, before):
        def meanwhile():
            after = self.words(tree)
            check([w for w in after if w not in ADDED] == before,
                  f"add: sh has {after}, and had {before}")
            check([w for w in after if w in ADDED] == ADDED, f"add: sh has {after}")

        return there_and_back(tree, ADDED, meanwhile)

    def edits(self, text):
        tree = self.tree(text)
        before = self.words(tree)
        if not any(c in text for c in "`(\r"):
            check(tree.shown() == before, f"show: {tree.shown()}, but sh has {before}")
        said = self.adds(tree, before)
        check(said["programs"] == [["update-grub"]] if self.drop_ins else
              [["grub-mkconfig", "-o", "/boot/grub/grub.cfg"]], f"{said['programs']}")

    def removes(self, text):
        tree = self.tree(text)
        before = self.words(tree)
        if "quiet" not in before:
            return
        tree.run("remove", "quiet")
        self.check_words(tree, [w for w in before if w != "quiet"], "remove quiet")
        check(tree.json("remove", "quiet")["outcome"] == "unchanged", "removing twice")

    def plain(self, text):
        self.edits(text)
        self.removes(text)

    def refused(self, text, say):
        tree = self.tree(text)
        refuses(tree, "add", *ADDED, say=(say, *ADDED, "/etc/default/"))

    def not_removed(self, text):
        """Added in a file of ours; what stands in theirs is not touched."""
        tree = self.tree(text)
        self.adds(tree, self.words(tree))
        if "quiet" in tree.shown():
            refuses(tree, "remove", "quiet", say=("/etc/default/grub", "quiet"))


DROP_IN, DEFAULT = Grub(True), Grub(False)


def bash_append():
    """+= is bash's: sh on Arch is bash, and on Debian it is not."""
    text = "GRUB_CMDLINE_LINUX=\"ro\"\nGRUB_CMDLINE_LINUX+=\" quiet\"\n"
    DEFAULT.plain(text)
    refuses(DROP_IN.tree(text), "remove", "ro", say=("grub:2",))


def a_later_drop_in_replaces():
    tree = DROP_IN.tree("GRUB_CMDLINE_LINUX=\"quiet\"\n")
    tree.write("etc/default/grub.d/95-last.cfg", "\nGRUB_CMDLINE_LINUX=\"mine\"\n")
    refuses(tree, "add", *ADDED, say=("95-last.cfg:2", "iommu=pt"))


def a_hidden_drop_in_is_not_read():
    tree = DROP_IN.tree("GRUB_CMDLINE_LINUX=\"quiet\"\n")
    tree.write("etc/default/grub.d/.99-hidden.cfg", "GRUB_CMDLINE_LINUX=\"mine\"\n")
    there_and_back(tree, ADDED)


def a_word_of_another_drop_in():
    tree = DROP_IN.tree("GRUB_CMDLINE_LINUX=\"quiet\"\n")
    tree.run("remove", "console=ttyS0")
    check("console=ttyS0" not in DROP_IN.words(tree), "it is still there")
    check(tree.read("etc/default/grub.d/50-cloudimg-settings.cfg") ==
          "GRUB_TIMEOUT=0\nGRUB_CMDLINE_LINUX=\"$GRUB_CMDLINE_LINUX\"\n", "it was mangled")


def our_drop_in_was_edited():
    tree = DROP_IN.tree("GRUB_CMDLINE_LINUX=\"quiet\"\n")
    mine = "# mine\nGRUB_CMDLINE_LINUX=\"$GRUB_CMDLINE_LINUX nosmt\" # keep\n"
    tree.write("etc/default/grub.d/90-vfio-claim.cfg", mine)
    there_and_back(tree, ADDED)
    tree.run("remove", "nosmt")
    check("# keep" in tree.read("etc/default/grub.d/90-vfio-claim.cfg"), "it was replaced")


def a_second_word_joins_ours():
    tree = DROP_IN.tree("GRUB_CMDLINE_LINUX=\"quiet\"\n")
    tree.run("add", "iommu=pt")
    tree.run("add", "kvm.ignore_msrs=1")
    tree.run("remove", "iommu=pt")
    check("iommu=pt" not in DROP_IN.words(tree) and
          "kvm.ignore_msrs=1" in DROP_IN.words(tree), f"{DROP_IN.words(tree)}")


def a_word_that_needs_quotes():
    for grub in (DROP_IN, DEFAULT):
        for text in ("GRUB_CMDLINE_LINUX=\"quiet\"\n", "GRUB_CMDLINE_LINUX='quiet'\n",
                     "GRUB_CMDLINE_LINUX=quiet\n", ""):
            tree = grub.tree(text)
            tree.run("add", 'a="b c"')
            check('a="b c"' in grub.words(tree), f"{grub.words(tree)}")
            there_and_back(grub.tree(text), ['a="b c"'])


def one_word_there_already():
    tree = DEFAULT.tree("GRUB_CMDLINE_LINUX=\"intel_iommu=on quiet\"\n")
    tree.run("add", *ADDED)
    DEFAULT.check_words(tree, ["intel_iommu=on", "quiet", "iommu=pt"], "add")


def variables_that_multiply():
    """2 to the power of 60 of them, and nothing in any."""
    tree = DEFAULT.tree("A=\n" + 60 * "A=$A$A\n" + "GRUB_CMDLINE_LINUX=$A\n")
    refuses(tree, "add", *ADDED, say=("/etc/default/grub",))


def dash_and_underscore():
    tree = DEFAULT.tree("GRUB_CMDLINE_LINUX=\"quiet intel-iommu=on\"\n")
    check(tree.json("add", "intel_iommu=on")["outcome"] == "unchanged", "added again")
    tree.run("remove", "intel_iommu=on")
    DEFAULT.check_words(tree, ["quiet"], "remove")
    tree = DEFAULT.tree("GRUB_CMDLINE_LINUX=\"x=a-b\"\n")
    tree.run("add", "x=a_b")      # a value is another thing
    DEFAULT.check_words(tree, ["x=a-b", "x=a_b"], "add")


def exact_words_only():
    tree = DEFAULT.tree("GRUB_CMDLINE_LINUX=\"iommu=pt iommu xiommu=pt iommu=pt,x\"\n")
    tree.run("remove", "iommu=pt")
    DEFAULT.check_words(tree, ["iommu", "xiommu=pt", "iommu=pt,x"], "remove")
    tree.run("remove", "iommu")
    DEFAULT.check_words(tree, ["xiommu=pt", "iommu=pt,x"], "remove")


def a_word_from_a_variable():
    tree = DEFAULT.tree("W=\"quiet\"\nGRUB_CMDLINE_LINUX=\"ro $W\"\n")
    refuses(tree, "remove", "quiet", say=("/etc/default/grub:2", "quiet"))


def a_word_glued_to_a_variable():
    tree = DEFAULT.tree("W=x\nGRUB_CMDLINE_LINUX=\"ro a=$W b\"\n")
    refuses(tree, "remove", "a=x", say=("/etc/default/grub:2",))
    tree.run("remove", "b")
    DEFAULT.check_words(tree, ["ro", "a=x"], "remove")


def words_that_grub_would_read():
    for grub in (DROP_IN, DEFAULT):
        for word in ("a=$x", "a=`b`", "a=b;c", "a'b", "a\\b", "a=b&c", "a={b}", "#a", "a|b"):
            refuses(grub.tree("GRUB_CMDLINE_LINUX=\"quiet\"\n"), "add", word, say=(word,))


def links_and_other_things():
    tree = DEFAULT.tree("GRUB_CMDLINE_LINUX=\"quiet\"\n")
    os.rename(f"{tree.root}/etc/default/grub", f"{tree.root}/etc/default/real")
    os.symlink("real", f"{tree.root}/etc/default/grub")
    refuses(tree, "add", *ADDED, say=("/etc/default/grub", "iommu=pt"))
    tree = DROP_IN.tree("GRUB_CMDLINE_LINUX=\"quiet\"\n")
    os.symlink("/etc/passwd", f"{tree.root}/etc/default/grub.d/90-vfio-claim.cfg")
    refuses(tree, "add", *ADDED, say=("90-vfio-claim.cfg",))
    tree = DEFAULT.tree(b"GRUB_CMDLINE_LINUX=\"quiet\"\n\0\n")
    refuses(tree, "add", *ADDED, say=("/etc/default/grub",))


def expansion_does_not_explode():
    text = "A=xxxxxxxx\n" + "A=$A$A\n" * 60 + "GRUB_CMDLINE_LINUX=\"$A\"\n"
    refuses(DEFAULT.tree(text), "add", *ADDED)
    refuses(DEFAULT.tree("(" * 5000 + "\n"), "add", *ADDED)
    refuses(DEFAULT.tree("GRUB_CMDLINE_LINUX=\"" + "$(" * 5000 + "\n"), "add", *ADDED)


def table():
    found = []
    for name, text in PLAIN.items():
        found.append((f"grub-default: {name}", lambda t=text: DEFAULT.plain(t)))
        found.append((f"grub-drop-in: {name}", lambda t=text: DROP_IN.plain(t)))
    for name, (text, say) in REFUSED.items():
        found.append((f"grub-default: {name} is refused",
                      lambda t=text, s=say: DEFAULT.refused(t, s)))
        if name != "after-a-double-dash":
            found.append((f"grub-drop-in: {name} is not touched",
                          lambda t=text: DROP_IN.not_removed(t)))
    for name, (text, say) in BROKEN.items():
        for which, grub in (("default", DEFAULT), ("drop-in", DROP_IN)):
            found.append((f"grub-{which}: {name} is refused",
                          lambda g=grub, t=text, s=say: g.refused(t, s)))
    return found


CASES = table() + [(f"grub: {test.__name__.replace('_', '-')}", test) for test in (
    bash_append, a_later_drop_in_replaces, a_hidden_drop_in_is_not_read,
    a_word_of_another_drop_in, our_drop_in_was_edited, a_second_word_joins_ours,
    a_word_that_needs_quotes, one_word_there_already, variables_that_multiply,
    dash_and_underscore,
    exact_words_only, a_word_from_a_variable, a_word_glued_to_a_variable,
    words_that_grub_would_read, links_and_other_things, expansion_does_not_explode)]
