#include "services/upstream/exchange/rate_limit_headers.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"

namespace entrepot::upstream {
namespace {

// Unix times are larger, waits are smaller.
constexpr double kEpochMin = 1e9;

// The digits at the beginning: "76;w=21600" is 76.
std::optional<int64_t> LeadingNumber(absl::string_view text) {
  text = absl::StripLeadingAsciiWhitespace(text);
  const size_t size = std::min(text.find_first_not_of("0123456789"), text.size());
  int64_t number = 0;
  if (!absl::SimpleAtoi(text.substr(0, size), &number)) return std::nullopt;
  return number;
}

struct ListItem {
  std::string name;  // Without quotes.
  std::map<std::string, std::string> parameters;
};

// `"name";q=100;w=60, "other";q=5`. Draft -07 has `limit=100, remaining=40` in place of names and parameters; each of
// those becomes an item with that parameter.
std::vector<ListItem> ParseList(const std::vector<absl::string_view>& fields) {
  std::vector<ListItem> items;
  for (const absl::string_view field : fields) {
    for (const absl::string_view text : absl::StrSplit(field, ',')) {
      ListItem item;
      for (const absl::string_view part : absl::StrSplit(text, ';')) {
        const std::pair<absl::string_view, absl::string_view> pair = absl::StrSplit(part, absl::MaxSplits('=', 1));
        const std::string name(absl::StripAsciiWhitespace(pair.first));
        if (part.find('=') == absl::string_view::npos) {
          item.name = std::string(absl::StripAsciiWhitespace(name));
          item.name.erase(std::remove(item.name.begin(), item.name.end(), '"'), item.name.end());
        } else {
          item.parameters.emplace(name, absl::StripAsciiWhitespace(pair.second));
        }
      }
      items.push_back(std::move(item));
    }
  }
  return items;
}

std::optional<int64_t> ParameterOf(const ListItem& item, const std::string& name) {
  const auto found = item.parameters.find(name);
  return found != item.parameters.end() ? LeadingNumber(found->second) : std::nullopt;
}

RateLimit FromPairOfFields(const outbound::HopHead& head, absl::string_view limit, absl::string_view remaining) {
  return {.limit = LeadingNumber(head.Field(limit)), .remaining = LeadingNumber(head.Field(remaining))};
}

RateLimit FromDraft07(const std::vector<ListItem>& items) {
  RateLimit limit;
  for (const ListItem& item : items) {
    if (const auto value = ParameterOf(item, "limit")) limit.limit = value;
    if (const auto value = ParameterOf(item, "remaining")) limit.remaining = value;
  }
  return limit;
}

RateLimit Tightest(const RateLimit& a, const RateLimit& b) {
  if (!a.remaining.has_value()) return b.remaining.has_value() || !a.limit.has_value() ? b : a;
  return b.remaining.has_value() && *b.remaining < *a.remaining ? b : a;
}

RateLimit FromList(const outbound::HopHead& head) {
  const std::vector<ListItem> items = ParseList(head.Fields("ratelimit"));
  std::map<std::string, int64_t> quotas;
  for (const ListItem& policy : ParseList(head.Fields("ratelimit-policy"))) {
    if (const auto quota = ParameterOf(policy, "q")) quotas.emplace(policy.name, *quota);
  }
  RateLimit tightest = FromDraft07(items);
  for (const ListItem& item : items) {
    RateLimit limit{.limit = std::nullopt, .remaining = ParameterOf(item, "r")};
    if (const auto quota = quotas.find(item.name); quota != quotas.end()) limit.limit = quota->second;
    if (limit.remaining.has_value()) tightest = Tightest(tightest, limit);
  }
  return tightest;
}

std::optional<absl::Duration> FromDate(absl::string_view text, absl::Time now) {
  // The three forms of RFC 9110 section 5.6.7.
  constexpr std::array kForms = {
      absl::string_view("%a, %d %b %Y %H:%M:%S GMT"),
      absl::string_view("%A, %d-%b-%y %H:%M:%S GMT"),
      absl::string_view("%a %b %e %H:%M:%S %Y"),
  };
  absl::Time time;
  for (const absl::string_view form : kForms) {
    if (absl::ParseTime(form, text, &time, nullptr)) return time - now;
  }
  return std::nullopt;
}

std::optional<absl::Duration> ParseWait(absl::string_view text, absl::Time now) {
  text = absl::StripAsciiWhitespace(text);
  if (text.empty()) return std::nullopt;
  double seconds = 0;
  if (!absl::SimpleAtod(text, &seconds)) return FromDate(text, now);
  if (!std::isfinite(seconds)) return std::nullopt;
  return seconds > kEpochMin ? absl::UnixEpoch() + absl::Seconds(seconds) - now : absl::Seconds(seconds);
}

}  // namespace

RateLimit ParseRateLimit(const outbound::HopHead& head) {
  RateLimit limit = FromPairOfFields(head, "ratelimit-limit", "ratelimit-remaining");
  limit = Tightest(limit, FromList(head));
  return Tightest(limit, FromPairOfFields(head, "x-ratelimit-limit", "x-ratelimit-remaining"));
}

std::optional<absl::Duration> ParseRetryAfter(const outbound::HopHead& head, absl::Time now) {
  std::optional<absl::Duration> wait = ParseWait(head.Field("retry-after"), now);
  if (!wait.has_value()) wait = ParseWait(head.Field("x-retry-after"), now);
  if (!wait.has_value()) return std::nullopt;
  return std::clamp(*wait, absl::Seconds(1), absl::Hours(1));
}

}  // namespace entrepot::upstream
