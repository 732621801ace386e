# A thin front on meson. Everything that a target needs is installed by tests/setup/ensure.
BUILD ?= build
BUILD_ASAN ?= build-asan
BUILD_STATIC ?= build-static
PYTHON ?= /usr/bin/python3

.PHONY: all demo test peer e2e bench fuzz lint format coverage static install clean setup

all: $(BUILD)/build.ninja
	@meson compile -C $(BUILD)

setup:
	@tests/setup/ensure build

$(BUILD)/build.ninja: | setup
	@meson setup $(BUILD) --buildtype=release -Doptimization=2 --fatal-meson-warnings >/dev/null

$(BUILD_ASAN)/build.ninja: | setup
	@meson setup $(BUILD_ASAN) --buildtype=debug --fatal-meson-warnings \
		-Db_sanitize=address,undefined -Db_lundef=false >/dev/null

$(BUILD_STATIC)/build.ninja: | setup
	@meson setup $(BUILD_STATIC) --buildtype=release -Doptimization=s -Dstatic=true -Dtests=false \
		--fatal-meson-warnings >/dev/null

test: $(BUILD)/build.ninja $(BUILD_ASAN)/build.ninja
	@tests/setup/ensure build test
	@tests/run test

lint:
	@tests/setup/ensure build lint
	@tests/run lint

peer: all
	@tests/setup/ensure build test
	@tests/run peer

e2e: all
	@tests/setup/ensure build test e2e
	@tests/run e2e

format:
	@tests/setup/ensure lint
	@git ls-files '*.c' '*.h' | xargs clang-format -i

static: $(BUILD_STATIC)/build.ninja
	@meson compile -C $(BUILD_STATIC)
	@strip -o $(BUILD_STATIC)/grapnel.stripped $(BUILD_STATIC)/grapnel
	@mv $(BUILD_STATIC)/grapnel.stripped $(BUILD_STATIC)/grapnel

install: all
	@meson install -C $(BUILD)

clean:
	@rm -rf $(BUILD) $(BUILD_ASAN) $(BUILD_STATIC)
