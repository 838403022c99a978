#ifndef ENTREPOT_GATEWAY_API_REQUEST_QUERY_H_
#define ENTREPOT_GATEWAY_API_REQUEST_QUERY_H_

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/status/oci_error.h"

namespace entrepot::gateway::api {

// The query of a request's target: percent-encoded `name=value` pairs joined by `&`. `+` stands for itself, because no
// value of the API contains a blank and media types contain `+`.
class Query {
 public:
  // kInvalidArgument: not percent-encoded UTF-8. Unknown parameters are ignored.
  static absl::StatusOr<Query> Parse(absl::string_view text);

  bool Has(absl::string_view name) const;
  // The value of the parameter; nullopt without one. An error of `code` if there are several.
  absl::StatusOr<std::optional<std::string>> Single(absl::string_view name, OciErrorCode code) const;
  // All values of the parameter, in order.
  std::vector<std::string> All(absl::string_view name) const;

 private:
  explicit Query(std::vector<std::pair<std::string, std::string>> parameters) : parameters_(std::move(parameters)) {}

  std::vector<std::pair<std::string, std::string>> parameters_;
};

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_REQUEST_QUERY_H_
