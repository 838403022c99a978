#include "gateway/http/server_fields.h"

#include <algorithm>
#include <random>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace entrepot::gateway::http {

std::string FormatHttpDate(std::time_t seconds) {
  static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  return absl::StrFormat("%s, %02d %s %04d %02d:%02d:%02d GMT", kDays[parts.tm_wday], parts.tm_mday,
                         kMonths[parts.tm_mon], parts.tm_year + 1900, parts.tm_hour, parts.tm_min, parts.tm_sec);
}

absl::string_view HttpDate::Now() {
  const std::time_t now = std::time(nullptr);
  if (now != seconds_) {
    seconds_ = now;
    text_ = FormatHttpDate(now);
  }
  return text_;
}

bool IsRequestId(absl::string_view text) {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isalnum(c) || c == '-' || c == '_' || c == '.';
  });
}

RequestIdSource::RequestIdSource() {
  std::random_device random;
  state_ = (uint64_t{random()} << 32) | random();
}

std::string RequestIdSource::Next() {
  // SplitMix64: every state gives another id, and the ids of neighbouring states look unrelated.
  state_ += 0x9e3779b97f4a7c15u;
  uint64_t id = state_;
  id = (id ^ (id >> 30)) * 0xbf58476d1ce4e5b9u;
  id = (id ^ (id >> 27)) * 0x94d049bb133111ebu;
  id ^= id >> 31;
  return absl::StrCat(absl::Hex(id, absl::kZeroPad16));
}

}  // namespace entrepot::gateway::http
