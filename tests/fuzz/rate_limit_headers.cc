#include "services/upstream/exchange/rate_limit_headers.h"

#include <string>
#include <utility>

#include "absl/strings/str_split.h"
#include "tests/fuzz/fuzz_target.h"

// Each line is a field of a response: its name, "=" and its value.
FUZZ_TARGET(input) {
  entrepot::outbound::HopHead head{.status = 429, .fields = {}};
  for (const absl::string_view line : absl::StrSplit(input, '\n')) {
    const std::pair<std::string, std::string> field = absl::StrSplit(line, absl::MaxSplits('=', 1));
    head.fields.push_back(field);
  }
  const entrepot::upstream::RateLimit limit = entrepot::upstream::ParseRateLimit(head);
  FUZZ_CHECK(limit.limit.value_or(0) >= 0 && limit.remaining.value_or(0) >= 0);
  const auto wait = entrepot::upstream::ParseRetryAfter(head, absl::FromUnixSeconds(1'700'000'000));
  FUZZ_CHECK(!wait.has_value() || (*wait >= absl::Seconds(1) && *wait <= absl::Hours(1)));
}
