# A thin front on meson. Everything that a target needs is installed by tests/setup/ensure.
BUILD ?= build
BUILD_ASAN ?= build-asan
BUILD_TSAN ?= build-tsan
BUILD_FUZZ ?= build-fuzz
BUILD_COVERAGE ?= build-coverage
BUILD_STATIC ?= build-static
# More for meson, and what strips, where it is built for another architecture (packaging/release).
STATIC_FLAGS ?=
STRIP ?= strip

.PHONY: all demo test charts packages release peer e2e cluster bench fuzz fresh lint format coverage static install clean setup

all: $(BUILD)/build.ninja
	@meson compile -C $(BUILD) grapnel

setup:
	@tests/setup/ensure build

$(BUILD)/build.ninja: | setup
	@meson setup $(BUILD) --buildtype=release -Doptimization=2 --fatal-meson-warnings >/dev/null

$(BUILD_ASAN)/build.ninja: | setup
	@meson setup $(BUILD_ASAN) --buildtype=debug --fatal-meson-warnings \
		-Db_sanitize=address,undefined -Db_lundef=false >/dev/null

$(BUILD_TSAN)/build.ninja: | setup
	@meson setup $(BUILD_TSAN) --buildtype=debug --fatal-meson-warnings -Db_sanitize=thread \
		-Db_lundef=false >/dev/null

$(BUILD_FUZZ)/build.ninja: | setup
	@tests/setup/ensure fuzz
	@CC=clang meson setup $(BUILD_FUZZ) --buildtype=debugoptimized -Dfuzz=true -Db_lundef=false \
		--fatal-meson-warnings >/dev/null

$(BUILD_COVERAGE)/build.ninja: | setup
	@meson setup $(BUILD_COVERAGE) --buildtype=debug --fatal-meson-warnings -Db_coverage=true \
		>/dev/null

$(BUILD_STATIC)/build.ninja: | setup
	@meson setup $(BUILD_STATIC) --buildtype=release -Doptimization=s -Dstatic=true -Dtests=false \
		--fatal-meson-warnings $(STATIC_FLAGS) >/dev/null

# Installs runc by itself where that is of use (tests/setup/packages-demo).
demo: all
	@GRAPNEL=$(BUILD)/grapnel tests/demo/run

test: $(BUILD)/build.ninja $(BUILD_ASAN)/build.ninja $(BUILD_TSAN)/build.ninja
	@tests/setup/ensure build test
	@tests/run test

lint:
	@tests/setup/ensure build lint
	@tests/run lint

# The Helm chart, what is rendered from it, alerts and dashboard. No cluster is needed.
charts: all
	@tests/setup/ensure build test
	@tests/run charts

# The .deb and the .rpm, in build-packages: built, judged, and installed into a clean Debian (root).
packages: all
	@tests/setup/ensure build packages
	@packaging/build
	@tests/run packages

# What is released, in build-release: built twice in a clean Debian, for amd64 and arm64, and judged (root).
release:
	@tests/setup/ensure build test e2e cluster packages release
	@packaging/release/build
	@tests/run release

peer: all
	@tests/setup/ensure build test
	@tests/run peer

# The .deb that one of its tests installs is built first, where build-packages has that of another state.
e2e: all
	@tests/setup/ensure build test e2e packages
	@tests/run e2e

# A real Kubernetes; its parts are built once, in about ten minutes, and cached outside the clone.
cluster: static
	@tests/setup/ensure build test e2e cluster
	@tests/run cluster

# Run it on a quiet machine; flags: BENCH_FLAGS="--quick --long --dry-run".
bench: all static
	@tests/setup/ensure build test e2e
	@meson compile -C $(BUILD)
	@tests/bench/run $(BENCH_FLAGS)

# The README's two commands on a machine that has nothing but make and git.
fresh:
	@tests/setup/ensure fresh
	@tests/run fresh

FUZZ_SECONDS ?= 30
fuzz: $(BUILD_FUZZ)/build.ninja
	@meson configure $(BUILD_FUZZ) -Dfuzz_seconds=$(FUZZ_SECONDS)
	@tests/run fuzz

coverage: $(BUILD_COVERAGE)/build.ninja
	@tests/setup/ensure build test coverage
	@tests/run coverage

format:
	@tests/setup/ensure lint
	@git ls-files '*.c' '*.h' | xargs clang-format -i

static: $(BUILD_STATIC)/build.ninja
	@meson compile -C $(BUILD_STATIC)
	@$(STRIP) -o $(BUILD_STATIC)/grapnel.stripped $(BUILD_STATIC)/grapnel
	@mv $(BUILD_STATIC)/grapnel.stripped $(BUILD_STATIC)/grapnel

install: $(BUILD)/build.ninja
	@meson compile -C $(BUILD) delivered
	@meson install -C $(BUILD) --no-rebuild

clean:
	@rm -rf $(BUILD) $(BUILD_ASAN) $(BUILD_TSAN) $(BUILD_FUZZ) $(BUILD_COVERAGE) \
		$(BUILD_STATIC) build-packages build-release
