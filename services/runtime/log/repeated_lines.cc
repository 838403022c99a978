#include "services/runtime/log/repeated_lines.h"

namespace entrepot::runtime {
namespace {

// No key of a caller begins with a NUL.
constexpr absl::string_view kFurtherKeys("\0further", 8);

}  // namespace

bool RepeatedLines::Admit(absl::string_view key, Time now, absl::FunctionRef<std::string()> line,
                          Time::duration interval) {
  auto found = keys_.find(key);
  if (found == keys_.end() && keys_.size() >= keys_max_) {
    key = kFurtherKeys;
    interval = kInterval;
    found = keys_.find(key);
  }
  if (found == keys_.end()) {
    keys_.emplace(std::string(key), Counted{.interval = interval, .line = "", .count = 0});
    ends_.emplace(now + interval, std::string(key));
    return true;
  }
  Counted& counted = found->second;
  if (counted.count++ == 0) counted.line = line();
  return false;
}

std::vector<RepeatedLines::Due> RepeatedLines::TakeDue(Time now) {
  std::vector<Due> due;
  while (!ends_.empty() && ends_.begin()->first <= now) {
    std::string key = std::move(ends_.begin()->second);
    ends_.erase(ends_.begin());
    const auto found = keys_.find(key);
    Counted& counted = found->second;
    if (counted.count == 0) {
      keys_.erase(found);
      continue;
    }
    due.push_back(Take(key, &counted));
    ends_.emplace(now + counted.interval, std::move(key));
  }
  return due;
}

std::vector<RepeatedLines::Due> RepeatedLines::TakeAll() {
  std::vector<Due> due;
  for (const auto& [end, key] : ends_) {
    Counted& counted = keys_.at(key);
    if (counted.count > 0) due.push_back(Take(key, &counted));
  }
  keys_.clear();
  ends_.clear();
  return due;
}

RepeatedLines::Due RepeatedLines::Take(absl::string_view key, Counted* counted) {
  return {.line = std::exchange(counted->line, std::string()),
          .count = std::exchange(counted->count, 0),
          .mixed = key == kFurtherKeys};
}

std::optional<RepeatedLines::Time> RepeatedLines::NextEnd() const {
  if (ends_.empty()) return std::nullopt;
  return ends_.begin()->first;
}

}  // namespace entrepot::runtime
