#include "tests/simulation/history.h"

#include <functional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/simulation/actors.h"
#include "tests/simulation/random.h"
#include "tests/simulation/world.h"

namespace entrepot::simulation {
namespace {

// Histories differ: some have few faults, some have many. So both bugs that need one fault and bugs that need many are
// found.
World::Options Character(Random random, bool trace) {
  World::Options options;
  const uint64_t switches[] = {1, 2, 2, 5, 20};
  const uint64_t stalls[] = {0, 300, 100, 40};
  const uint64_t events[] = {400, 100, 40, 15};
  const uint64_t crashes[] = {0, 0, 40, 10, 4};
  const uint64_t power_cuts[] = {0, 0, 60, 15};
  const uint64_t rots[] = {0, 0, 0, 20};
  options.scheduler.switch_one_in = random.Of(switches);
  options.scheduler.stall_one_in = random.Of(stalls);
  options.scheduler.event_one_in = random.Of(events);
  options.scheduler.trace = trace;
  options.crash_one_in = random.Of(crashes);
  options.power_cut_one_in = random.Of(power_cuts);
  options.rot_one_in = random.Of(rots);
  const uint64_t exchanges[] = {0, 0, 0, 0, 0, 15};
  const uint64_t lost_records[] = {0, 0, 0, 0, 0, 0, 0, 10};
  options.exchange_one_in = random.Of(exchanges);
  options.orphans_one_in = random.Of(lost_records);
  options.clock_guarded = random.OneIn(3);
  options.immutable_tags = random.OneIn(4);
  options.bound = !random.OneIn(4);
  options.caches = random.OneIn(3);
  if (random.OneIn(2)) return options;
  const uint64_t faults[] = {0, 1000, 200, 50};
  options.faults.kv_read_fails = random.Of(faults) * 2;
  options.faults.kv_commit_fails = random.Of(faults);
  options.faults.kv_answer_lost = random.Of(faults);
  options.faults.kv_aborts = random.Of(faults);
  options.faults.object_call_fails = random.Of(faults);
  options.faults.object_answer_lost = random.Of(faults);
  options.faults.failpoint_fails = random.Of(faults);
  return options;
}

}  // namespace

HistoryResult RunHistory(uint64_t seed, bool trace) {
  Random random(seed ^ 0x5eed);
  World::Options options = Character(random, trace);
  options.registries = Random(seed ^ 0x2e71).OneIn(3) ? 2 : 1;
  World world(seed, options);
  std::vector<std::pair<std::string, std::function<void()>>> clients, background;
  const size_t client_count = 2 + random.Below(3);
  for (size_t i = 1; i <= client_count; ++i) {
    const int operations = 2 + static_cast<int>(random.Below(7));
    clients.emplace_back(absl::StrCat("client ", i), [&world, operations] { Client(&world).Work(operations); });
  }
  const size_t collector_count = 1 + random.Below(2);
  for (size_t i = 1; i <= collector_count; ++i) {
    background.emplace_back(absl::StrCat("collector ", i), [&world] { Collect(&world); });
  }
  if (random.OneIn(2)) background.emplace_back("orphan quarantine", [&world] { QuarantineOrphans(&world); });
  if (random.OneIn(4)) background.emplace_back("scrubber", [&world] { Scrub(&world); });
  if (random.OneIn(3)) background.emplace_back("renewal", [&world] { RenewBinding(&world); });
  world.Run(clients, background);
  return {.violation = world.violation(),
          .steps = world.scheduler().steps(),
          .fingerprint = world.scheduler().fingerprint(),
          .trace = world.scheduler().trace()};
}

}  // namespace entrepot::simulation
