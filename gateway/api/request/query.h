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

// The query of a request's target: `name=value` joined by `&`, percent-encoded. `+` stands for itself, since no value
// of the API holds a blank and media types hold `+`.
class Query {
 public:
  // kInvalidArgument where it is not percent-encoded UTF-8. Names that nobody asks for are no
  // error.
  static absl::StatusOr<Query> Parse(absl::string_view text);

  bool Has(absl::string_view name) const;
  // The one value of that name; nullopt without one. Given twice it is ambiguous: an error of `code`.
  absl::StatusOr<std::optional<std::string>> Single(absl::string_view name, OciErrorCode code) const;
  // Every value of that name, in their order.
  std::vector<std::string> All(absl::string_view name) const;

 private:
  explicit Query(std::vector<std::pair<std::string, std::string>> parameters) : parameters_(std::move(parameters)) {}

  std::vector<std::pair<std::string, std::string>> parameters_;
};

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_REQUEST_QUERY_H_
