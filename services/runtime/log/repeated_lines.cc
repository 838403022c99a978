#include "services/runtime/log/repeated_lines.h"

namespace entrepot::runtime {
namespace {

// No key of a caller begins with a NUL.
constexpr absl::string_view kFurtherKeys("\0further", 8);

}  // namespace

bool RepeatedLines::Admit(absl::string_view key, Time now, absl::FunctionRef<std::string()> line) {
  auto found = keys_.find(key);
  if (found == keys_.end() && keys_.size() >= keys_max_) {
    key = kFurtherKeys;
    found = keys_.find(key);
  }
  if (found == keys_.end()) {
    keys_.emplace(std::string(key), Counted());
    ends_.emplace_back(now + kInterval, std::string(key));
    return true;
  }
  Counted& counted = found->second;
  if (counted.count++ == 0) counted.line = line();
  return false;
}

std::vector<RepeatedLines::Due> RepeatedLines::TakeDue(Time now) {
  std::vector<Due> due;
  // Intervals that begin now end later.
  for (size_t left = ends_.size(); left > 0 && ends_.front().first <= now; --left) {
    std::string key = std::move(ends_.front().second);
    ends_.pop_front();
    const auto found = keys_.find(key);
    Counted& counted = found->second;
    if (counted.count == 0) {
      keys_.erase(found);
      continue;
    }
    due.push_back(Take(key, &counted));
    ends_.emplace_back(now + kInterval, std::move(key));
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
  return ends_.front().first;
}

}  // namespace entrepot::runtime
