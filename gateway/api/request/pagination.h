#ifndef ENTREPOT_GATEWAY_API_REQUEST_PAGINATION_H_
#define ENTREPOT_GATEWAY_API_REQUEST_PAGINATION_H_

#include <cstddef>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gateway/api/request/query.h"

namespace entrepot::gateway::api {

// Which part of a list was asked for: `n` and `last`.
struct PageRequest {
  // Of entries; 0 where none are wanted. What is more than a page may hold is clamped to that.
  size_t limit = 0;
  // The entries behind this one; need not be one.
  std::string last;

  // A backend's limit is at least 1: also where no entry is wanted it is asked whether there is such a list.
  size_t backend_limit() const { return limit == 0 ? 1 : limit; }
};

// `entries_max` is what a page may hold, and does where `n` is absent. kInvalidArgument (PAGINATION_NUMBER_INVALID):
// `n` is no whole number of at most 63 bits; or one of the two is given twice.
absl::StatusOr<PageRequest> ParsePageRequest(const Query& query, size_t entries_max);

// A Link header (RFC 8288) to the page behind `last`. `filter` is a parameter to keep, or empty.
std::string NextPageLink(absl::string_view path, const PageRequest& page, absl::string_view last,
                         const std::pair<absl::string_view, absl::string_view>& filter = {});

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_REQUEST_PAGINATION_H_
