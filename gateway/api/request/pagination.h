#ifndef ENTREPOT_GATEWAY_API_REQUEST_PAGINATION_H_
#define ENTREPOT_GATEWAY_API_REQUEST_PAGINATION_H_

#include <cstddef>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gateway/api/request/query.h"

namespace entrepot::gateway::api {

// How many entries a page of a list has.
struct PageSize {
  size_t standard = 0;  // Without `n`.
  size_t max = 0;       // Whatever `n` is.
};

// The requested part of a list: the parameters `n` and `last`.
struct PageRequest {
  // The number of entries; 0 for none. At most the number that a page may hold.
  size_t limit = 0;
  // The page begins after this entry, which need not exist.
  std::string last;

  // The limit for the backend, at least 1: a request for no entries still checks that the list exists.
  size_t backend_limit() const { return limit == 0 ? 1 : limit; }
};

// kInvalidArgument (PAGINATION_NUMBER_INVALID): `n` is not a whole number below 2^63, or a parameter is given twice.
absl::StatusOr<PageRequest> ParsePageRequest(const Query& query, const PageSize& size);

// The value of a Link field (RFC 8288) to the page after `last`. `filter` is a parameter to repeat, or empty.
std::string NextPageLink(absl::string_view path, const PageRequest& page, absl::string_view last,
                         const std::pair<absl::string_view, absl::string_view>& filter = {});

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_REQUEST_PAGINATION_H_
