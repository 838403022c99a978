#include "gateway/http/request_id.h"

#include <algorithm>
#include <random>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace entrepot::gateway::http {

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
  // SplitMix64: every state gives another id, and neighbours look unlike.
  state_ += 0x9e3779b97f4a7c15u;
  uint64_t id = state_;
  id = (id ^ (id >> 30)) * 0xbf58476d1ce4e5b9u;
  id = (id ^ (id >> 27)) * 0x94d049bb133111ebu;
  id ^= id >> 31;
  return absl::StrCat(absl::Hex(id, absl::kZeroPad16));
}

}  // namespace entrepot::gateway::http
