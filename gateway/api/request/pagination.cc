#include "gateway/api/request/pagination.h"

#include <algorithm>
#include <cstdint>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "services/core/text/percent_encoding.h"
#include "services/status/oci_error.h"
#include "services/status/quoted_input.h"
#include "services/status/status_macros.h"

namespace entrepot::gateway::api {
namespace {

constexpr OciErrorCode kInvalid = OciErrorCode::kPaginationNumberInvalid;

absl::StatusOr<size_t> ParseLimit(absl::string_view text, size_t entries_max) {
  const bool digits = std::all_of(text.begin(), text.end(), [](unsigned char c) { return absl::ascii_isdigit(c); });
  int64_t limit = 0;
  if (!digits || !absl::SimpleAtoi(text, &limit)) {
    return OciError(kInvalid, absl::StrCat("n must be a whole number, not ", QuotedInput(text)));
  }
  return std::min<uint64_t>(limit, entries_max);
}

}  // namespace

absl::StatusOr<PageRequest> ParsePageRequest(const Query& query, const PageSize& size) {
  PageRequest page;
  ASSIGN_OR_RETURN(const std::optional<std::string> limit, query.Single("n", kInvalid));
  ASSIGN_OR_RETURN(const std::optional<std::string> last, query.Single("last", kInvalid));
  page.limit = size.standard;
  if (limit.has_value()) {
    ASSIGN_OR_RETURN(page.limit, ParseLimit(*limit, size.max));
  }
  page.last = last.value_or("");
  return page;
}

std::string NextPageLink(absl::string_view path, const PageRequest& page, absl::string_view last,
                         const std::pair<absl::string_view, absl::string_view>& filter) {
  std::string link = absl::StrCat("<", path, "?n=", page.limit, "&last=", PercentEncode(last));
  if (!filter.first.empty()) absl::StrAppend(&link, "&", filter.first, "=", PercentEncode(filter.second));
  absl::StrAppend(&link, ">; rel=\"next\"");
  return link;
}

}  // namespace entrepot::gateway::api
