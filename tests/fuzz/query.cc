#include "gateway/api/request/query.h"

#include <string>

#include "services/core/text/percent_encoding.h"
#include "tests/fuzz/error_properties.h"
#include "tests/fuzz/fuzz_target.h"

using entrepot::OciErrorCode;
using entrepot::PercentDecode;
using entrepot::PercentEncode;
using entrepot::gateway::api::Query;

FUZZ_TARGET(input) {
  const std::string encoded = PercentEncode(input);
  FUZZ_CHECK(PercentDecode(encoded) == std::string(input));
  FUZZ_CHECK(encoded.find_first_of("&=#?/+\r\n ") == std::string::npos);

  const auto query = Query::Parse(input);
  if (!query.ok()) {
    FUZZ_CHECK(absl::IsInvalidArgument(query.status()));
    entrepot::fuzz::CheckMessage(query.status());
    return;
  }
  for (const char* name : {"digest", "n", "last", "mount", "from", "artifactType", "tag", ""}) {
    const auto values = query->All(name);
    FUZZ_CHECK(query->Has(name) == !values.empty());
    const auto single = query->Single(name, OciErrorCode::kDigestInvalid);
    FUZZ_CHECK(single.ok() == (values.size() <= 1));
    if (!single.ok()) {
      entrepot::fuzz::CheckOciError(single.status(), OciErrorCode::kDigestInvalid);
      continue;
    }
    FUZZ_CHECK(single->has_value() == !values.empty());
    // A value, encoded again, is parsed to the same value.
    for (const std::string& value : values) {
      const auto again = Query::Parse(std::string(name) + "=" + PercentEncode(value));
      FUZZ_CHECK(again.ok() && again->All(name) == std::vector<std::string>{value});
    }
  }
}
