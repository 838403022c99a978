#ifndef ENTREPOT_TESTS_SIMULATION_HISTORY_H_
#define ENTREPOT_TESTS_SIMULATION_HISTORY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace entrepot::simulation {

// The result of one history.
struct HistoryResult {
  // Absent if no invariant was violated.
  std::optional<std::string> violation;
  uint64_t steps = 0;
  // Always the same for the same seed.
  uint64_t fingerprint = 0;
  // One line for each step, if requested.
  std::vector<std::string> trace;
};

// Runs the history of a seed. The seed determines everything that happens.
HistoryResult RunHistory(uint64_t seed, bool trace = false);

}  // namespace entrepot::simulation

#endif  // ENTREPOT_TESTS_SIMULATION_HISTORY_H_
