# mlkit: `make demo` and `make test` need only git and make on Debian/Ubuntu; `make help` lists the rest.
VERSION := $(shell cat VERSION)
PREFIX ?= /usr/local
CC := $(if $(filter default,$(origin CC)),gcc,$(CC))
B ?= build
ROOMS := core potentials parsers datasets md train transport reports
HDF5_PC := $(shell pkg-config --exists hdf5 2>/dev/null && echo hdf5 || echo hdf5-serial)
# report.pdf: a plugin of mlkit report alone, so that no other command loads these libraries
PLUGIN_SRC := reports/pdf.c reports/pdf_layout.c
PLUGIN_PKGS := pangocairo cairo-pdf librsvg-2.0
PKGS := openblas lapacke $(HDF5_PC) libxml-2.0 fftw3 yaml-0.1 jansson zlib liblzma
WARN := -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition \
  -Wvla -Wwrite-strings -Wpointer-arith -Wformat=2 -Wundef -Wno-sign-conversion -fno-common
OPT := -O2 -g
OMP := -fopenmp
ALL_CFLAGS = -std=c11 -D_POSIX_C_SOURCE=200809L $(OMP) $(OPT) $(WARN) $(WERROR) $(SAN) -I. -I$(B) \
  $(shell pkg-config --cflags $(PKGS) 2>/dev/null) $(CFLAGS)
KERNEL_FLAGS := -O3 -ffp-contract=fast -fno-math-errno -fno-trapping-math -fno-signed-zeros
ALL_LIBS = $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lbz2 $(OMP) -lm $(SAN) $(LDFLAGS)

LIB_SRC := $(filter-out $(PLUGIN_SRC),$(foreach r,$(ROOMS),$(wildcard $(r)/*.c)))
CLI_SRC := $(wildcard cli/*.c)
TEST_SRC := $(wildcard tests/unit/*.c tests/property/*.c tests/golden/*.c)
SLOW_SRC := $(wildcard tests/slow/*.c)
SUP_SRC := $(wildcard tests/support/*.c)
PERF_SRC := $(wildcard tests/perf/*.c)
# short lines unless V=1
say = $(if $(V),,@echo '  $(1) $(2)';)
obj = $(patsubst %.c,$(B)/%.o,$(1))
LIB := $(B)/libmlkit.a
BIN := $(B)/mlkit
PLUGIN := $(B)/mlkit-pdf.so

.PHONY: transport-table all deps check test asan fuzz damage perf perf-train demo install clean help layers headers format format-check FORCE
.DEFAULT_GOAL := all

## all: build build/mlkit
all: $(BIN) $(PLUGIN)

$(B)/version.h: FORCE
	@mkdir -p $(B)
	@v=$$(git describe --always --dirty --tags 2>/dev/null || true); \
	printf '#define MLK_VERSION "%s%s"\n#define MLK_COMPILER "%s"\n#define MLK_FLAGS "%s"\n#define MLK_PREFIX "%s"\n#define MLK_SOURCE "%s"\n' \
	  "$(VERSION)" "$${v:+-$$v}" "$$($(CC) --version | head -1)" "$(strip $(OPT) $(CFLAGS))" "$(PREFIX)" "$(CURDIR)" > $@.new; \
	cmp -s $@.new $@ 2>/dev/null && rm $@.new || mv $@.new $@

# the files that name the version; everything else is not rebuilt for a commit
VERSIONED := $(call obj,$(CLI_SRC) $(SUP_SRC) $(wildcard datasets/*.c md/*.c train/*.c transport/*.c reports/*.c))
$(VERSIONED): | $(B)/version.h

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(ALL_CFLAGS) $(if $(filter k_%,$(notdir $<)),$(KERNEL_FLAGS)) -MMD -MP -c $< -o $@

$(LIB): $(call obj,$(LIB_SRC))
	@rm -f $@
	@ar rcs $@ $^
$(BIN): $(call obj,$(CLI_SRC)) $(LIB)
	$(call say,LD,$@)$(CC) $(ALL_CFLAGS) $^ $(ALL_LIBS) -o $@
$(PLUGIN): $(PLUGIN_SRC) reports/pdf_layout.h reports/document.h core/err.h
	@pkg-config --exists $(PLUGIN_PKGS) || { echo "mlkit-pdf.so needs $(PLUGIN_PKGS) (Debian: libpango1.0-dev librsvg2-dev; make deps)" >&2; exit 1; }
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) -std=c11 -D_POSIX_C_SOURCE=200809L $(OPT) $(WARN) -Wno-pedantic $(WERROR) $(SAN) -I. $(CFLAGS) -fPIC -shared \
	  -fvisibility=hidden $$(pkg-config --cflags $(PLUGIN_PKGS) | sed 's/-I/-isystem /g') $(PLUGIN_SRC) $$(pkg-config --libs $(PLUGIN_PKGS)) -lm $(LDFLAGS) -o $@
TEST_LIBS = $(shell pkg-config --libs criterion 2>/dev/null)
$(B)/mlk-test: $(call obj,$(TEST_SRC) $(SUP_SRC)) $(LIB)
	$(call say,LD,$@)$(CC) $(ALL_CFLAGS) $^ $(ALL_LIBS) $(TEST_LIBS) -o $@
$(B)/mlk-slow: $(call obj,$(SLOW_SRC) $(SUP_SRC)) $(LIB)
	$(call say,LD,$@)$(CC) $(ALL_CFLAGS) $^ $(ALL_LIBS) $(TEST_LIBS) -o $@
$(B)/mlk-perf: $(call obj,$(PERF_SRC) $(SUP_SRC)) $(LIB)
	$(call say,LD,$@)$(CC) $(ALL_CFLAGS) $^ $(ALL_LIBS) $(TEST_LIBS) -o $@
-include $(patsubst %.o,%.d,$(call obj,$(LIB_SRC) $(CLI_SRC) $(TEST_SRC) $(SLOW_SRC) $(SUP_SRC) $(PERF_SRC) $(wildcard tests/fuzz/*.c)))

## deps: install the Debian/Ubuntu packages that are missing (elsewhere: name them)
deps:
	@sh scripts/deps.sh

# $(MAKE) again after deps, so that pkg-config sees what was just installed
## demo: the whole study on the bundled Li3PS4 DFT data, from vasprun.xml to a report (5 to 15 minutes)
demo: deps
	@$(MAKE) --no-print-directory -j2 all
	@sh scripts/demo.sh $(BIN)

## test: install what is missing, build, run every test
test: deps
	@$(MAKE) --no-print-directory -j2 WERROR=-Werror test-run
## check: the fast tests (< 60 s once built)
check:
	@$(MAKE) --no-print-directory -j2 WERROR=-Werror check-run
check-run: layers headers $(BIN) $(PLUGIN) $(B)/mlk-test
	OMP_NUM_THREADS=1 $(B)/mlk-test -j2 --timeout 120 --output=tap:$(B)/test.tap || \
	  { echo "failed:"; sed -n '/^not ok/,/^  \.\.\./p' $(B)/test.tap; exit 1; }
	sh tests/cli/run.sh $(BIN)
test-run: check-run $(if $(SLOW_SRC),$(B)/mlk-slow)
	$(if $(SLOW_SRC),OMP_NUM_THREADS=1 $(B)/mlk-slow -j1 --timeout 1500)
	sh tests/cli/run.sh $(BIN) tests/slow

## transport-table: every transport number with a reference, and the coverage of the error bars
transport-table: $(B)/mlk-slow
	OMP_NUM_THREADS=1 $(B)/mlk-slow -j1 --filter 'transport_*/*'

## asan: address and undefined-behaviour sanitizers, fast tests, in build/asan
asan:
	@rm -f build/asan/log.*
	@$(MAKE) --no-print-directory -j2 B=build/asan SAN="-fsanitize=address,undefined -fno-sanitize-recover=undefined" build/asan/mlkit build/asan/mlkit-pdf.so build/asan/mlk-test
	LSAN_OPTIONS=suppressions=tests/support/lsan.supp:print_suppressions=0 ASAN_OPTIONS=log_path=$(CURDIR)/build/asan/log OMP_NUM_THREADS=1 build/asan/mlk-test -j2 --timeout 600
	ASAN_OPTIONS=log_path=$(CURDIR)/build/asan/log sh tests/cli/run.sh build/asan/mlkit
	@! ls build/asan/log.* 2>/dev/null

## fuzz: every reader under libFuzzer (clang), T=60 seconds each, J targets at a time, only those in W="..."
FUZZ_SRC := tests/fuzz/fuzz.c tests/support/feed.c tests/support/feed_h5.c
fuzz:
	@sh tests/fuzz/deps.sh
	@$(MAKE) --no-print-directory CC=clang-14 B=build/fuzz OPT="-O1 -g" WARN="-w -Itests/fuzz/one-thread" OMP= \
	  SAN="-fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=undefined -fno-omit-frame-pointer" build/fuzz/mlk-fuzz
	@sh tests/fuzz/run.sh build/fuzz/mlk-fuzz "$(or $(T),60)" "$(or $(J),$(shell nproc))" $(W)
$(B)/mlk-fuzz: $(call obj,$(FUZZ_SRC)) $(LIB)
	$(call say,LD,$@)$(CC) $(ALL_CFLAGS) -fsanitize=fuzzer $^ $(ALL_LIBS) -o $@

## damage: cuts and changed bytes through every file of ../shared/data/vasp under the sanitizers
damage:
	@$(MAKE) --no-print-directory -j2 B=build/asan SAN="-fsanitize=address,undefined -fno-sanitize-recover=undefined" build/asan/mlk-damage
	@sh tests/fuzz/damage.sh build/asan/mlk-damage
$(B)/mlk-damage: $(call obj,tests/fuzz/damage.c tests/support/feed.c tests/support/feed_h5.c) $(LIB)
	$(call say,LD,$@)$(CC) $(ALL_CFLAGS) $^ $(ALL_LIBS) -o $@

## perf: verify, then time; table in build/perf.tsv
perf: all $(B)/mlk-perf
	OMP_WAIT_POLICY=passive OMP_PROC_BIND=true $(B)/mlk-perf | tee $(B)/perf.tsv

## perf-train: errors and CPU seconds of NEP training against other programs (about 15 minutes, needs python3; W="si li": only those)
perf-train: all
	python3 tests/perf/training.py $(BIN) $(or $(MLK_SHARED),../shared) $(W)

## install: binary, plugin of mlkit report, library, header, bundled data under PREFIX
install: all
	install -D -m755 $(BIN) $(DESTDIR)$(PREFIX)/bin/mlkit
	install -D -m755 $(PLUGIN) $(DESTDIR)$(PREFIX)/lib/mlkit/mlkit-pdf.so
	install -D -m644 $(LIB) $(DESTDIR)$(PREFIX)/lib/libmlkit.a
	for h in mlkit.h $(foreach r,$(ROOMS),$(wildcard $(r)/*.h)); do install -D -m644 $$h $(DESTDIR)$(PREFIX)/include/mlkit/$$h; done
	for d in li3ps4 li3ps4_breaking; do install -d $(DESTDIR)$(PREFIX)/share/mlkit/datasets/$$d; \
	install -m644 datasets/$$d/*.xml.gz datasets/$$d/README.md $(DESTDIR)$(PREFIX)/share/mlkit/datasets/$$d; done

## layers: check that includes point only downward (docs/DECISIONS.md)
layers:
	@sh scripts/layers.sh
## headers: check that every header compiles alone
headers: $(B)/version.h mlkit.h
	@for h in mlkit.h $(wildcard $(addsuffix /*.h,$(ROOMS) cli)); do \
	  case $$h in */k_*|reports/pdf_layout.h) continue;; esac; \
	  echo "#include \"$$h\"" | $(CC) $(ALL_CFLAGS) -Wno-pedantic -fsyntax-only -x c - || exit 1; done
## format: clang-format every source file; format-check only looks
format:
	clang-format -i $(wildcard $(addsuffix /*.[ch],$(ROOMS) cli tests/unit tests/property tests/golden tests/support tests/perf tests/slow tests/fuzz))
format-check:
	clang-format --dry-run -Werror $(wildcard $(addsuffix /*.[ch],$(ROOMS) cli))
## clean: remove build/
clean:
	rm -rf build
## help: this list
help:
	@sed -n 's/^## //p' Makefile
