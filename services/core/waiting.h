#ifndef ENTREPOT_SERVICES_CORE_WAITING_H_
#define ENTREPOT_SERVICES_CORE_WAITING_H_

#include <algorithm>
#include <cstdint>
#include <optional>

#include "absl/time/time.h"

namespace entrepot {

// Things of one kind that wait for something, like the end of a grace.
struct Waiting {
  uint64_t count = 0;
  uint64_t bytes = 0;
  // There are more: only the first ones are counted.
  bool more = false;
  // The least and the greatest of their times; nullopt if there are none, or if they are not known. The last one also
  // bounds the times of those that are not counted.
  std::optional<absl::Time> first_at = std::nullopt;
  std::optional<absl::Time> last_at = std::nullopt;

  void Add(uint64_t size_bytes, std::optional<absl::Time> at = std::nullopt) {
    ++count;
    bytes += size_bytes;
    if (at.has_value()) Span(*at, *at);
  }
  void Add(const Waiting& others) {
    count += others.count;
    bytes += others.bytes;
    more |= others.more;
    if (others.first_at.has_value()) Span(*others.first_at, *others.last_at);
  }

 private:
  void Span(absl::Time from, absl::Time to) {
    first_at = std::min(first_at.value_or(from), from);
    last_at = std::max(last_at.value_or(to), to);
  }
};

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_CORE_WAITING_H_
