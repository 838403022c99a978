// Runs histories until one of them breaks an invariant:
//
//   simulation [--histories=10000] [--first=1]    the histories with the seeds from --first on
//   simulation --seed=N                           one history; prints all its steps
//   simulation --expect-violation ...             for a mutated registry: succeeds if a history finds a violation
//
// In a sharded test, each shard runs its share of the seeds.

#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "services/runtime/log/json_log.h"
#include "tests/simulation/history.h"

namespace entrepot::simulation {
namespace {

// Some histories are run twice, and must be equal.
constexpr uint64_t kRepeatOneIn = 250;

// A fiber that waits for a real lock waits forever.
constexpr unsigned kSecondsMax = 15;
volatile uint64_t seed_under_way = 0;

void Hangs(int) {
  std::fprintf(stderr, "seed %lu: the history hangs\n", seed_under_way);
  std::_Exit(1);
}

HistoryResult Run(uint64_t seed, bool trace = false) {
  seed_under_way = seed;
  std::signal(SIGALRM, Hangs);
  ::alarm(kSecondsMax);
  HistoryResult result = RunHistory(seed, trace);
  ::alarm(0);
  return result;
}

struct Arguments {
  uint64_t histories = 10'000;
  uint64_t first = 1;
  uint64_t seed = 0;
  bool expect_violation = false;
};

bool Parse(int argc, char** argv, Arguments* arguments) {
  for (int i = 1; i < argc; ++i) {
    absl::string_view argument = argv[i];
    bool good = false;
    if (argument == "--expect-violation") {
      arguments->expect_violation = good = true;
    } else if (absl::ConsumePrefix(&argument, "--histories=")) {
      good = absl::SimpleAtoi(argument, &arguments->histories);
    } else if (absl::ConsumePrefix(&argument, "--first=")) {
      good = absl::SimpleAtoi(argument, &arguments->first);
    } else if (absl::ConsumePrefix(&argument, "--seed=")) {
      good = absl::SimpleAtoi(argument, &arguments->seed) && arguments->seed > 0;
    }
    if (good) continue;
    std::fprintf(stderr, "usage: %s [--histories=N] [--first=SEED] [--seed=SEED] [--expect-violation]\n", argv[0]);
    return false;
  }
  return true;
}

uint64_t FromEnvironment(const char* name, uint64_t otherwise) {
  const char* const text = std::getenv(name);
  uint64_t value = 0;
  return text != nullptr && absl::SimpleAtoi(text, &value) ? value : otherwise;
}

void Print(const HistoryResult& result) {
  for (const std::string& line : result.trace) std::printf("%s\n", line.c_str());
}

int Replay(uint64_t seed) {
  const HistoryResult result = Run(seed, /*trace=*/true);
  Print(result);
  std::printf("seed %lu: %s\n", seed, result.violation.has_value() ? result.violation->c_str() : "no violation");
  return result.violation.has_value() ? 1 : 0;
}

int Report(uint64_t seed, const std::string& violation) {
  std::printf("The steps of the history:\n");
  Print(Run(seed, /*trace=*/true));
  std::printf("seed %lu: %s\n", seed, violation.c_str());
  std::printf("To repeat: bazel run //tests/simulation:simulation -- --seed=%lu\n", seed);
  return 1;
}

int Main(const Arguments& arguments) {
  if (arguments.seed != 0) return Replay(arguments.seed);
  const uint64_t shards = FromEnvironment("TEST_TOTAL_SHARDS", 1), shard = FromEnvironment("TEST_SHARD_INDEX", 0);
  // Tells Bazel that this test supports shards.
  if (const char* const file = std::getenv("TEST_SHARD_STATUS_FILE")) std::ofstream(file).flush();
  const absl::Time start = absl::Now();
  uint64_t histories = 0, steps = 0;
  for (uint64_t seed = arguments.first + shard; seed < arguments.first + arguments.histories; seed += shards) {
    const HistoryResult result = Run(seed);
    ++histories;
    steps += result.steps;
    if (result.violation.has_value()) {
      if (!arguments.expect_violation) return Report(seed, *result.violation);
      std::printf("found after %lu histories, seed %lu: %s\n", histories, seed, result.violation->c_str());
      return 0;
    }
    if (seed % kRepeatOneIn == 0 && Run(seed).fingerprint != result.fingerprint) {
      std::printf("seed %lu gave two different histories\n", seed);
      return 1;
    }
  }
  std::printf("%lu histories, %lu steps, %s: %s\n", histories, steps, absl::FormatDuration(absl::Now() - start).c_str(),
              arguments.expect_violation ? "the mistake was NOT found" : "no violation");
  return arguments.expect_violation ? 1 : 0;
}

}  // namespace
}  // namespace entrepot::simulation

int main(int argc, char** argv) {
  entrepot::simulation::Arguments arguments;
  if (!entrepot::simulation::Parse(argc, argv, &arguments)) return 2;
  // Most worlds have broken clocks and stores, whose warnings would hide the result.
  entrepot::runtime::SetLogLevel(entrepot::runtime::LogLevel::kError);
  // absl's deadlock detection works by threads: it would take the locks of all fibers for those of one thread.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  return entrepot::simulation::Main(arguments);
}
