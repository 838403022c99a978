#ifndef ENTREPOT_TESTS_SIMULATION_HISTORY_H_
#define ENTREPOT_TESTS_SIMULATION_HISTORY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace entrepot::simulation {

// What came of one history.
struct HistoryResult {
  // None: all was well.
  std::optional<std::string> violation;
  uint64_t steps = 0;
  // The same for the same seed, always.
  uint64_t fingerprint = 0;
  // A line a step, where it was asked for.
  std::vector<std::string> trace;
};

// All that happens is decided by the seed.
HistoryResult RunHistory(uint64_t seed, bool trace = false);

}  // namespace entrepot::simulation

#endif  // ENTREPOT_TESTS_SIMULATION_HISTORY_H_
