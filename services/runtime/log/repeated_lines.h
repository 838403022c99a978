#ifndef ENTREPOT_SERVICES_RUNTIME_LOG_REPEATED_LINES_H_
#define ENTREPOT_SERVICES_RUNTIME_LOG_REPEATED_LINES_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"

namespace entrepot::runtime {

// Decides which of the lines that clients can cause are written. The first line of a key is. Those that follow within
// its interval are counted, and one line with the count is due at the end of the interval, which begins the next. So
// each key has at most one line in an interval, and no line goes uncounted.
//
// At most kKeysMax keys are known at once. The lines of all further keys count as lines of one more key. The memory is
// bounded by the keys and one line for each. Not thread-safe.
class RepeatedLines {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::seconds kInterval{1};
  static constexpr size_t kKeysMax = 1024;

  struct Due {
    std::string line;    // The first of those that were counted.
    uint64_t count = 0;  // The number of lines that it stands for.
    bool mixed = false;  // Whether they have different keys.
  };

  explicit RepeatedLines(size_t keys_max = kKeysMax) : keys_max_(keys_max) {}

  // Whether the line may be written now. Otherwise it is counted. `line` is called for the first that is counted. A
  // key has the interval of its first line.
  bool Admit(absl::string_view key, Time now, absl::FunctionRef<std::string()> line,
             Time::duration interval = kInterval);
  // The counts whose intervals have ended by `now`.
  std::vector<Due> TakeDue(Time now);
  // All counts. Forgets all keys.
  std::vector<Due> TakeAll();
  // When the next interval ends; nullopt if there is none.
  std::optional<Time> NextEnd() const;

 private:
  struct Counted {
    Time::duration interval{};
    std::string line;
    uint64_t count = 0;
  };

  static Due Take(absl::string_view key, Counted* counted);

  const size_t keys_max_;
  absl::flat_hash_map<std::string, Counted> keys_;
  // Every key, by the end of its interval.
  std::multimap<Time, std::string> ends_;
};

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_LOG_REPEATED_LINES_H_
