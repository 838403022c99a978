#include "gateway/api/request/query.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "services/core/text/percent_encoding.h"
#include "services/core/text/utf8.h"
#include "services/status/quoted_input.h"
#include "services/status/status_macros.h"

namespace entrepot::gateway::api {
namespace {

absl::StatusOr<std::string> Decode(absl::string_view text) {
  std::optional<std::string> decoded = PercentDecode(text);
  if (!decoded.has_value()) {
    return absl::InvalidArgumentError(absl::StrCat("invalid percent-encoding in the query: ", QuotedInput(text)));
  }
  if (Utf8PrefixLength(*decoded) != decoded->size()) {
    return absl::InvalidArgumentError(absl::StrCat("the query is not UTF-8: ", QuotedInput(text)));
  }
  return *std::move(decoded);
}

}  // namespace

absl::StatusOr<Query> Query::Parse(absl::string_view text) {
  std::vector<std::pair<std::string, std::string>> parameters;
  for (const absl::string_view part : absl::StrSplit(text, '&', absl::SkipEmpty())) {
    const std::pair<absl::string_view, absl::string_view> pair = absl::StrSplit(part, absl::MaxSplits('=', 1));
    ASSIGN_OR_RETURN(std::string name, Decode(pair.first));
    ASSIGN_OR_RETURN(std::string value, Decode(pair.second));
    parameters.emplace_back(std::move(name), std::move(value));
  }
  return Query(std::move(parameters));
}

bool Query::Has(absl::string_view name) const {
  return std::any_of(parameters_.begin(), parameters_.end(), [&](const auto& p) { return p.first == name; });
}

absl::StatusOr<std::optional<std::string>> Query::Single(absl::string_view name, OciErrorCode code) const {
  std::vector<std::string> values = All(name);
  if (values.size() > 1) return OciError(code, absl::StrCat("the parameter \"", name, "\" is given more than once"));
  if (values.empty()) return std::nullopt;
  return std::move(values.front());
}

std::vector<std::string> Query::All(absl::string_view name) const {
  std::vector<std::string> values;
  for (const auto& [key, value] : parameters_) {
    if (key == name) values.push_back(value);
  }
  return values;
}

}  // namespace entrepot::gateway::api
