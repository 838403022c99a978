#ifndef ENTREPOT_TESTS_SIMULATION_REGISTER_H_
#define ENTREPOT_TESTS_SIMULATION_REGISTER_H_

#include <cstdint>
#include <deque>
#include <limits>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace entrepot::simulation {

// The values that a name may have, derived from its writes and their times: a write that began after the end of another
// one has overwritten it; of concurrent writes any may have been the last.
class Register {
 public:
  static constexpr uint64_t kNotYet = std::numeric_limits<uint64_t>::max();

  struct Write {
    // Empty: the name has no value.
    std::string value;
    uint64_t begin = 0;
    uint64_t end = kNotYet;
    bool acknowledged = false;
    // False for a write that may have found nothing to overwrite.
    bool overwrites = true;
    bool refused = false;
  };

  Register() { writes_.push_back({.value = "", .begin = 0, .end = 0, .acknowledged = true}); }

  // The returned Write is valid as long as the register.
  Write* Begin(std::string value, uint64_t now, bool overwrites = true) {
    writes_.push_back(
        {.value = std::move(value), .begin = now, .end = kNotYet, .acknowledged = false, .overwrites = overwrites});
    return &writes_.back();
  }

  // Whether a read that lasted from `from` to `to` may have seen the value.
  bool Allows(absl::string_view value, uint64_t from, uint64_t to) const {
    for (const Write& write : writes_) {
      if (!write.refused && write.value == value && write.begin <= to && !Overwritten(write, from)) return true;
    }
    return false;
  }

 private:
  bool Overwritten(const Write& write, uint64_t before) const {
    for (const Write& other : writes_) {
      if (other.acknowledged && other.overwrites && other.begin > write.end && other.end < before) return true;
    }
    return false;
  }

  std::deque<Write> writes_;
};

}  // namespace entrepot::simulation

#endif  // ENTREPOT_TESTS_SIMULATION_REGISTER_H_
