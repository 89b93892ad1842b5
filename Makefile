# SPDX-License-Identifier: GPL-2.0-or-later
# make help lists the targets.

VERSION := 0.1.0

CC ?= cc
CFLAGS ?= -O2 -g
MUSL_CC ?= musl-gcc
CLANG ?= clang
PREFIX ?= /usr
LIBDIR ?= $(PREFIX)/lib/vfio-claim
MANDIR ?= $(PREFIX)/share/man
BINDIR ?= $(PREFIX)/bin
SYSTEMDDIR ?= $(PREFIX)/lib/systemd/system
SYSTEMD_SLEEP_DIR ?= $(PREFIX)/lib/systemd/system-sleep
DOCDIR ?= $(PREFIX)/share/doc/vfio-claim
LOCALEDIR ?= $(PREFIX)/share/locale
BASH_COMPLETION_DIR ?= $(PREFIX)/share/bash-completion/completions
ZSH_COMPLETION_DIR ?= $(PREFIX)/share/zsh/vendor-completions
FISH_COMPLETION_DIR ?= $(PREFIX)/share/fish/vendor_completions.d
# initramfs-tools looks nowhere else
INITRAMFS_TOOLS_DIR ?= /usr/share/initramfs-tools
DRACUT_DIR ?= /usr/lib/dracut/modules.d
INITCPIO_DIR ?= /usr/lib/initcpio
# nor update-initramfs, grub-mkconfig, kernel-install and udev
SYSCONFDIR ?= /etc
KERNEL_INSTALL_DIR ?= /usr/lib/kernel/install.d
UDEV_RULES_DIR ?= /usr/lib/udev/rules.d

B := build

WARNINGS := -Wall -Wextra -Wshadow -Wvla -Wformat=2 -Wmissing-prototypes -Wstrict-prototypes \
	-Wundef -Wwrite-strings -Wpointer-arith -Wimplicit-fallthrough $(if $(CI),-Werror)
CPPFLAGS_ALL := -D_GNU_SOURCE -DVERSION='"$(VERSION)"' -Ilib $(CPPFLAGS)

LIB_SRC := $(wildcard lib/*.c)
EARLY_SRC := $(wildcard early/*.c)

.DELETE_ON_ERROR:

# Headers: each compiler run says what it has read. Flags: $(B)/NAME.flags is written anew when
# they are other ones.
DEPENDS := -MMD -MP
$(B)/%.flags: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' "$$FLAGS" | cmp -s - $@ || printf '%s\n' "$$FLAGS" >$@

FORCE:

PROGRAMS := $(addprefix $(B)/,vfio-claim-early vfio-claim vfio-claim-vm)

# Two at once would write the same files: the later one waits, and finds all of it built.
.PHONY: all
all: | $(filter deps,$(MAKECMDGOALS)) ## Build everything
	@+mkdir -p $(B) && flock -o $(B)/lock $(MAKE) --no-print-directory $(PROGRAMS)

# ---- the early binary: static musl with libkmod and libblkid in it

# musl-gcc is a wrapper that runs another gcc on request
ifneq ($(findstring gcc,$(CC)),)
export REALGCC := $(CC)
endif

KMOD_SRC ?= $(B)/kmod
KMOD_FILES := $(addprefix libkmod/libkmod,.c $(addprefix -,$(addsuffix .c,builtin config elf \
	file index list module signature))) \
	$(addprefix shared/,array.c hash.c scratchbuf.c strbuf.c util.c)
KMOD_OBJ := $(KMOD_FILES:%.c=$(B)/early/kmod/%.o)
UTIL_LINUX_SRC ?= $(B)/util-linux
BLKID := $(B)/early/blkid
EARLY_OBJ := $(LIB_SRC:%.c=$(B)/early/%.o) $(EARLY_SRC:%.c=$(B)/early/%.o)

EARLY_CFLAGS := -std=gnu11 $(CFLAGS) -flto -fstack-protector-strong -ffunction-sections \
	-fdata-sections -fno-pie -ffile-prefix-map=$(CURDIR)=. -ffile-prefix-map=$(KMOD_SRC)=kmod \
	-frandom-seed=vfio-claim -fno-asynchronous-unwind-tables
BLKID_CFLAGS := $(CFLAGS) -Os -fno-asynchronous-unwind-tables -fstack-protector-strong -ffunction-sections -fdata-sections -fno-pie \
	-ffile-prefix-map=$(CURDIR)=. -ffile-prefix-map=$(abspath $(UTIL_LINUX_SRC))=util-linux
EARLY_LDFLAGS := -static -no-pie -flto -flto-partition=one -Wl,--gc-sections -Wl,-z,relro,-z,now -Wl,-z,noexecstack \
	-Wl,--build-id=none $(LDFLAGS)

ifeq ($(KMOD_SRC),$(B)/kmod)
$(KMOD_SRC)/libkmod/libkmod.h: early/fetch
	@mkdir -p $(B)
	early/fetch kmod $(KMOD_SRC)
	@touch $@
else
$(KMOD_SRC)/libkmod/libkmod.h:
	@test -e $@ || { echo "KMOD_SRC=$(KMOD_SRC) holds no libkmod/libkmod.h:" \
		"unpack kmod's source there" >&2; false; }
endif

ifeq ($(UTIL_LINUX_SRC),$(B)/util-linux)
$(UTIL_LINUX_SRC)/configure: early/fetch
	@mkdir -p $(B)
	early/fetch util-linux $(UTIL_LINUX_SRC)
	@touch $@
else
$(UTIL_LINUX_SRC)/configure:
	@test -e $@ || { echo "UTIL_LINUX_SRC=$(UTIL_LINUX_SRC) holds no configure:" \
		"unpack util-linux's source there" >&2; false; }
endif

# musl-gcc sees no kernel headers. Quiet: it is half a minute of somebody else's output.
$(BLKID)/libblkid.a: $(UTIL_LINUX_SRC)/configure early/blkid
	@rm -rf $(BLKID)
	@mkdir -p $(BLKID)
	@MUSL_CC='$(MUSL_CC)' CFLAGS='$(BLKID_CFLAGS)' MAKEFLAGS= \
		early/blkid $(abspath $(UTIL_LINUX_SRC)) $(BLKID)

# what gcc 14 refuses by itself
KMOD_WARNINGS := $(addprefix -Werror=,implicit-function-declaration implicit-int int-conversion \
	incompatible-pointer-types)

$(B)/early.flags: export FLAGS = $(MUSL_CC) $(EARLY_CFLAGS) $(WARNINGS) $(CPPFLAGS_ALL)

$(KMOD_OBJ): $(B)/early/kmod/%.o: $(KMOD_SRC)/libkmod/libkmod.h $(B)/early.flags
	@mkdir -p $(@D)
	$(MUSL_CC) $(EARLY_CFLAGS) $(DEPENDS) -Os $(KMOD_WARNINGS) -include early/kmod/config.h -I$(KMOD_SRC) \
		-I$(KMOD_SRC)/libkmod -c $(KMOD_SRC)/$*.c -o $@

$(EARLY_OBJ): $(B)/early/%.o: %.c $(KMOD_SRC)/libkmod/libkmod.h $(BLKID)/libblkid.a $(B)/early.flags
	@mkdir -p $(@D)
	$(MUSL_CC) $(EARLY_CFLAGS) $(DEPENDS) $(WARNINGS) $(CPPFLAGS_ALL) -Iearly -I$(KMOD_SRC)/libkmod \
		-I$(BLKID)/include -c $< -o $@

$(B)/vfio-claim-early.debug: $(EARLY_OBJ) $(KMOD_OBJ) $(BLKID)/libblkid.a
	$(MUSL_CC) $(EARLY_CFLAGS) $(EARLY_LDFLAGS) $^ -o $@.new
	mv $@.new $@

# an interpreter would be missing in the initramfs, and nobody would see why it does not start
$(B)/vfio-claim-early: $(B)/vfio-claim-early.debug
	@if readelf -lW $< | grep -q INTERP; then echo "$<: has a PT_INTERP" >&2; false; fi
	strip -s -R .comment -o $@.new $<
	mv $@.new $@

# ---- the command: dynamic, with the distribution's libraries

INSTALLER_SRC := $(filter-out installer/vm/%,$(wildcard installer/*.c installer/*/*.c))
INSTALLER_OBJ := $(LIB_SRC:%.c=$(B)/installer/%.o) $(INSTALLER_SRC:%.c=$(B)/installer/%.o)
INSTALLER_LIBS := json-c blkid
# whose headers are needed: installer/library.c loads them when a command does
LOADED_LIBS := libarchive nettle libpci libkmod
INSTALLER_ROOMS := look setup journal bootloader initramfs boots hands doctor snapshot
INSTALLER_CFLAGS = -std=gnu11 $(CFLAGS) -fstack-protector-strong -fpie -ffile-prefix-map=$(CURDIR)=. $(WARNINGS) \
	$(CPPFLAGS_ALL) -Iinstaller $(INSTALLER_ROOMS:%=-Iinstaller/%) \
	$(shell pkg-config --cflags $(INSTALLER_LIBS) $(LOADED_LIBS))

$(B)/installer.flags: export FLAGS = $(CC) $(INSTALLER_CFLAGS)

$(INSTALLER_OBJ): $(B)/installer/%.o: %.c $(B)/installer.flags
	@mkdir -p $(@D)
	$(CC) $(INSTALLER_CFLAGS) $(DEPENDS) -c $< -o $@

# what knows where it is installed: where the images have what is compared, and the translations
PLACES := -DLIBDIR='"$(LIBDIR)"' -DLOCALEDIR='"$(LOCALEDIR)"'
PLACED_OBJ := $(addprefix $(B)/installer/installer/,cmd_vm.o command.o initramfs/check.o bootloader/bls.o)
$(PLACED_OBJ): CPPFLAGS_ALL += $(PLACES)
$(PLACED_OBJ): $(B)/places.flags
$(B)/places.flags: export FLAGS = $(PLACES)

$(B)/vfio-claim: $(INSTALLER_OBJ)
	$(CC) $(INSTALLER_CFLAGS) -pie -Wl,-z,relro,-z,now -Wl,-z,noexecstack $(LDFLAGS) $^ \
		$$(pkg-config --libs $(INSTALLER_LIBS)) -o $@.new
	mv $@.new $@

# ---- vfio-claim vm: a program of its own, for it needs libvirt

VM_SRC := $(wildcard installer/vm/*.c)
VM_OBJ := $(VM_SRC:%.c=$(B)/installer/%.o)
# libvirt brings nettle in any case
VM_LIBS := $(INSTALLER_LIBS) nettle libvirt libxml-2.0

$(VM_OBJ): INSTALLER_LIBS := $(VM_LIBS)
$(VM_OBJ): INSTALLER_ROOMS += vm
$(VM_OBJ): $(B)/installer/%.o: %.c $(B)/installer.flags
	@mkdir -p $(@D)
	$(CC) $(INSTALLER_CFLAGS) $(DEPENDS) -c $< -o $@

-include $(patsubst %.o,%.d,$(KMOD_OBJ) $(EARLY_OBJ) $(INSTALLER_OBJ) $(VM_OBJ))

# as an archive: what it does not use, with the libraries that need, stays out
$(B)/installer/installer.a: $(filter-out %/installer/main.o,$(INSTALLER_OBJ))
	rm -f $@
	$(AR) rcsD $@ $^

$(B)/vfio-claim-vm: $(VM_OBJ) $(B)/installer/installer.a
	$(CC) $(INSTALLER_CFLAGS) -pie -Wl,-z,relro,-z,now -Wl,-z,noexecstack $(LDFLAGS) $^ \
		-Wl,--as-needed $$(pkg-config --libs $(VM_LIBS)) -o $@.new
	mv $@.new $@

# for tests/journal: changes of its own through the real journal
$(B)/journal/driver: tests/journal/driver.c $(filter-out %/main.o,$(INSTALLER_OBJ))
	@mkdir -p $(@D)
	$(CC) $(INSTALLER_CFLAGS) -pie $(LDFLAGS) $^ $$(pkg-config --libs $(INSTALLER_LIBS)) -o $@

# for tests/lib/prefork.py: a program that is linked once and called many times
$(B)/prefork.so: tests/lib/prefork.c
	@mkdir -p $(@D)
	$(CC) -std=gnu11 $(CFLAGS) $(WARNINGS) -D_GNU_SOURCE -fPIC -shared $(LDFLAGS) $< -o $@.new
	mv $@.new $@

# ---- installation

define newline


endef

# install SOURCE to DESTINATION with mode $(3); @LIBDIR@ and the like are filled in
define put
	install -d -m 755 $(dir $(DESTDIR)$(2))
	sed 's|@LIBDIR@|$(LIBDIR)|g; s|@BINDIR@|$(BINDIR)|g; s|@INITCPIO_DIR@|$(INITCPIO_DIR)|g; \
		s|@UDEV_RULES_DIR@|$(UDEV_RULES_DIR)|g' $(1) >$(DESTDIR)$(2).new
	chmod $(3) $(DESTDIR)$(2).new
	mv $(DESTDIR)$(2).new $(DESTDIR)$(2)
endef

INITRAMFS_SCRIPTS := $(patsubst %,scripts/%/00-vfio-claim,init-top local-top nfs-top init-bottom)

# what hooks of several generators run
HOOK_SCRIPTS := boot-partitions check-image

DRACUT_FILES := module-setup.sh vfio-claim-start.sh vfio-claim-settle.sh
INITCPIO_FILES := install/vfio-claim install/vfio-claim-settle hooks/vfio-claim hooks/vfio-claim-settle \
	post/vfio-claim
INITRD_UNITS := vfio-claim-start.service vfio-claim-settle.service

SYSTEMD_UNITS := vfio-claim-confirm.service vfio-claim-resume.service vfio-claim-trial.service

.PHONY: install
install: all ## Install below DESTDIR (PREFIX=/usr)
	install -D -m 755 $(B)/vfio-claim $(DESTDIR)$(BINDIR)/vfio-claim
	install -D -m 755 $(B)/vfio-claim-vm $(DESTDIR)$(LIBDIR)/vfio-claim-vm
	install -D -m 755 $(B)/vfio-claim-early $(DESTDIR)$(LIBDIR)/vfio-claim-early
	$(call put,hooks/initramfs-tools/hooks/vfio-claim,$(INITRAMFS_TOOLS_DIR)/hooks/vfio-claim,755)
	$(foreach s,$(INITRAMFS_SCRIPTS),$(call put,hooks/initramfs-tools/$s,$(INITRAMFS_TOOLS_DIR)/$s,755)$(newline))
	$(foreach s,$(HOOK_SCRIPTS),$(call put,hooks/$s,$(LIBDIR)/$s,755)$(newline))
	$(call put,hooks/udev/60-vfio-claim.rules,$(UDEV_RULES_DIR)/60-vfio-claim.rules,644)
	$(call put,hooks/new-kernel,$(SYSCONFDIR)/kernel/postinst.d/zz-vfio-claim,755)
	$(call put,hooks/new-kernel,$(KERNEL_INSTALL_DIR)/96-vfio-claim.install,755)
	$(foreach f,$(DRACUT_FILES),$(call put,hooks/dracut/$f,$(DRACUT_DIR)/55vfio-claim/$f,755)$(newline))
	$(foreach f,$(INITCPIO_FILES),$(call put,hooks/mkinitcpio/$f,$(INITCPIO_DIR)/$f,755)$(newline))
	$(call put,hooks/mkinitcpio/conf.d/zz-vfio-claim.conf,$(SYSCONFDIR)/mkinitcpio.conf.d/zz-vfio-claim.conf,644)
	$(foreach u,$(INITRD_UNITS),$(call put,hooks/systemd/initrd/$u,$(LIBDIR)/initrd/$u,644)$(newline))
	$(call put,hooks/initramfs-tools/post-update.d/vfio-claim,$(SYSCONFDIR)/initramfs/post-update.d/vfio-claim,755)
	$(foreach u,$(SYSTEMD_UNITS),$(call put,hooks/systemd/$u,$(SYSTEMDDIR)/$u,644)$(newline))
	$(call put,hooks/systemd/system-sleep,$(SYSTEMD_SLEEP_DIR)/vfio-claim,755)
	install -d -m 755 $(DESTDIR)$(SYSTEMDDIR)/multi-user.target.wants $(DESTDIR)$(SYSTEMDDIR)/sysinit.target.wants
	ln -sfn ../vfio-claim-confirm.service $(DESTDIR)$(SYSTEMDDIR)/multi-user.target.wants/
	ln -sfn ../vfio-claim-trial.service $(DESTDIR)$(SYSTEMDDIR)/sysinit.target.wants/
	$(call put,hooks/grub/vfio-claim-safe.cfg,$(SYSCONFDIR)/default/grub.d/91-vfio-claim-safe.cfg,644)
	$(call put,hooks/grub/42_vfio-claim,$(SYSCONFDIR)/grub.d/42_vfio-claim,755)
	$(call put,hooks/systemd-boot/vfio-claim-safe-entries,$(LIBDIR)/vfio-claim-safe-entries,755)
	$(call put,hooks/systemd-boot/vfio-claim-safe-entries,$(KERNEL_INSTALL_DIR)/95-vfio-claim.install,755)
	install -D -m 644 conf/vfio-claim.conf $(DESTDIR)$(DOCDIR)/vfio-claim.conf
	install -D -m 644 conf/completions/vfio-claim.bash $(DESTDIR)$(BASH_COMPLETION_DIR)/vfio-claim
	install -D -m 644 conf/completions/_vfio-claim $(DESTDIR)$(ZSH_COMPLETION_DIR)/_vfio-claim
	install -D -m 644 conf/completions/vfio-claim.fish $(DESTDIR)$(FISH_COMPLETION_DIR)/vfio-claim.fish
	install -D -m 644 conf/man/vfio-claim.8 $(DESTDIR)$(MANDIR)/man8/vfio-claim.8
	install -D -m 644 conf/man/vfio-claim-vm.8 $(DESTDIR)$(MANDIR)/man8/vfio-claim-vm.8
	install -D -m 644 conf/man/vfio-claim-early.8 $(DESTDIR)$(MANDIR)/man8/vfio-claim-early.8
	install -D -m 644 conf/man/vfio-claim.conf.5 $(DESTDIR)$(MANDIR)/man5/vfio-claim.conf.5

.PHONY: uninstall
uninstall: ## Remove what install put there (not your configuration)
	rm -f $(DESTDIR)$(BINDIR)/vfio-claim $(DESTDIR)$(LIBDIR)/vfio-claim-early \
		$(DESTDIR)$(LIBDIR)/vfio-claim-vm \
		$(DESTDIR)$(INITRAMFS_TOOLS_DIR)/hooks/vfio-claim \
		$(INITRAMFS_SCRIPTS:%=$(DESTDIR)$(INITRAMFS_TOOLS_DIR)/%) \
		$(HOOK_SCRIPTS:%=$(DESTDIR)$(LIBDIR)/%) \
		$(DESTDIR)$(UDEV_RULES_DIR)/60-vfio-claim.rules \
		$(DESTDIR)$(SYSCONFDIR)/kernel/postinst.d/zz-vfio-claim \
		$(DESTDIR)$(KERNEL_INSTALL_DIR)/96-vfio-claim.install \
		$(DRACUT_FILES:%=$(DESTDIR)$(DRACUT_DIR)/55vfio-claim/%) \
		$(INITCPIO_FILES:%=$(DESTDIR)$(INITCPIO_DIR)/%) \
		$(DESTDIR)$(SYSCONFDIR)/mkinitcpio.conf.d/zz-vfio-claim.conf \
		$(INITRD_UNITS:%=$(DESTDIR)$(LIBDIR)/initrd/%) \
		$(DESTDIR)$(SYSCONFDIR)/initramfs/post-update.d/vfio-claim \
		$(SYSTEMD_UNITS:%=$(DESTDIR)$(SYSTEMDDIR)/%) \
		$(DESTDIR)$(SYSTEMD_SLEEP_DIR)/vfio-claim \
		$(DESTDIR)$(SYSTEMDDIR)/multi-user.target.wants/vfio-claim-confirm.service \
		$(DESTDIR)$(SYSTEMDDIR)/sysinit.target.wants/vfio-claim-trial.service \
		$(DESTDIR)$(SYSCONFDIR)/default/grub.d/91-vfio-claim-safe.cfg \
		$(DESTDIR)$(SYSCONFDIR)/grub.d/42_vfio-claim \
		$(DESTDIR)$(LIBDIR)/vfio-claim-safe-entries \
		$(DESTDIR)$(KERNEL_INSTALL_DIR)/95-vfio-claim.install \
		$(DESTDIR)$(DOCDIR)/vfio-claim.conf \
		$(DESTDIR)$(BASH_COMPLETION_DIR)/vfio-claim \
		$(DESTDIR)$(ZSH_COMPLETION_DIR)/_vfio-claim \
		$(DESTDIR)$(FISH_COMPLETION_DIR)/vfio-claim.fish \
		$(DESTDIR)$(MANDIR)/man8/vfio-claim.8 \
		$(DESTDIR)$(MANDIR)/man8/vfio-claim-vm.8 \
		$(DESTDIR)$(MANDIR)/man8/vfio-claim-early.8 \
		$(DESTDIR)$(MANDIR)/man5/vfio-claim.conf.5
	-rmdir $(DESTDIR)$(LIBDIR)/initrd $(DESTDIR)$(LIBDIR) $(DESTDIR)$(DRACUT_DIR)/55vfio-claim \
		$(DESTDIR)$(DOCDIR)

# ---- tests: every room closes with "N passed, N failed"

# what the build needs besides cc and make
BUILD_PACKAGES := gcc musl-tools linux-libc-dev dpkg-dev binutils xz-utils pkg-config libjson-c-dev \
	libblkid-dev libarchive-dev nettle-dev libpci-dev libkmod-dev libvirt-dev libxml2-dev
TEST_PACKAGES := python3

.PHONY: deps
deps: ## Install what build and tests need (Debian packages)
	tests/lib/need $(BUILD_PACKAGES) $(TEST_PACKAGES)

# the longest first: several run at a time
ROOMS := boot vm power setup system loader cli unit lint fuzz roots demo hooks doctor bench journal args

.PHONY: check check-all
check: deps ## Run the tests whose turn it is, installing what they need
	+tests/check --turn $(ROOMS)

check-all: deps ## Run all tests, whosever turn it is
	+tests/check $(ROOMS)

ONLY ?=

CHECK_ROOMS := $(ROOMS:%=check-%)
.PHONY: $(CHECK_ROOMS)
$(CHECK_ROOMS): check-%: deps ## Run one room; ONLY=PATTERN chooses tests
	+ONLY='$(ONLY)' tests/check $*

.PHONY: list-tests list-all-tests
list-tests: ## The names of the tests that check would run, one a line
	@tests/check --turn --list $(ROOMS)

list-all-tests: ## The names of all tests
	@tests/check --list $(ROOMS)

.PHONY: rotate costs
rotate: ## The next third of the tests, for the commit that is to be tested
	@tests/lib/rotation.py

costs: ## Write down what the last run's machines cost
	@tests/lib/costs.py

.PHONY: check-power-long check-boot-long
check-power-long: ## Cut the power 200 times instead of 60, and damage more
check-boot-long: ## Boot the scenarios that say little new, too
check-power-long check-boot-long: check-%-long: deps
	+$(MAKE) --no-print-directory all
	tests/$*/run --long $(ONLY)

.PHONY: demo
demo: deps ## The main job, shown in a VM: no GPU, IOMMU or KVM needed
	+$(MAKE) --no-print-directory all
	tests/demo/demo

.PHONY: bench
bench: deps ## Ours beside what a user would take instead, as ratios
	+$(MAKE) --no-print-directory all
	tests/bench/run

.PHONY: format quick compile_commands
format: ## Format all C as .clang-format has it
	tests/lib/need clang-format-14
	git ls-files '*.c' '*.h' | xargs clang-format-14 -i

quick: deps ## What to run before each commit: format, lint, unit tests, the gates
	+tests/check unit lint args bench

compile_commands: deps ## build/compile_commands.json, for clangd and the like
	tests/lib/need bear
	+bear --output $(B)/compile_commands.json -- $(MAKE) --no-print-directory -B all

.PHONY: pot
pot: ## The texts to translate, in build/vfio-claim.pot (needs gettext)
	@mkdir -p $(B)
	xgettext --from-code=UTF-8 --language=C --keyword=_ --keyword=N_ --add-comments=TRANSLATORS \
		--package-name=vfio-claim --package-version=$(VERSION) -o $(B)/vfio-claim.pot \
		$(INSTALLER_SRC) $(VM_SRC)

.PHONY: clean
clean: ## Remove what was built; keeps what was fetched (rm -r build removes that, too)
	rm -rf $(B)/early $(B)/installer $(B)/vfio-claim $(B)/vfio-claim-vm $(B)/vfio-claim-early \
		$(B)/vfio-claim-early.debug \
		$(B)/unit $(B)/journal $(B)/demo

.PHONY: help
help: ## This text
	@awk -F ':.*## ' '/^[a-z$$].*:.*## / { sub(/^\$$.*/, "check-ROOM", $$1); \
		printf "  %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
	@echo "Rooms: $(CHECK_ROOMS:check-%=%)"
	@echo "Variables: CC CFLAGS MUSL_CC DESTDIR PREFIX KMOD_SRC ONLY"
