#ifndef ENTREPOT_GATEWAY_API_REQUEST_ROUTE_PATTERN_H_
#define ENTREPOT_GATEWAY_API_REQUEST_ROUTE_PATTERN_H_

#include <cstddef>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace entrepot::gateway::api {

// The form of the paths of a route, such as "/v2/{repository}/blobs/{digest}". A repository's name may hold slashes and
// words such as "blobs", so paths are read from the right.
class RoutePattern {
 public:
  // The values of the placeholders in a path, as views into it; empty if the pattern does not have the placeholder.
  struct Values {
    absl::string_view repository;
    absl::string_view argument;
  };

  // A literal path in which "{repository}" stands for a name with any number of slashes, and one placeholder of another
  // name, the argument, may stand at the end for text without slashes. The text must outlive the pattern.
  explicit constexpr RoutePattern(absl::string_view text) {
    constexpr absl::string_view kRepository = "{repository}";
    size_t at = Find(text, '{', 0);
    prefix_ = text.substr(0, at);
    has_repository_ = text.substr(at, kRepository.size()) == kRepository;
    if (has_repository_) {
      const size_t begin = at + kRepository.size();
      at = Find(text, '{', begin);
      suffix_ = text.substr(begin, at - begin);
    }
    argument_ = text.substr(at);
  }

  constexpr bool has_repository() const { return has_repository_; }
  constexpr bool has_argument() const { return !argument_.empty(); }
  // The argument's placeholder: "{digest}"; empty without one.
  constexpr absl::string_view argument() const { return argument_; }

  // nullopt if the path is not of this form. No value of a placeholder is empty.
  std::optional<Values> Match(absl::string_view path) const;

  // The path with these values; the inverse of Match().
  std::string Path(absl::string_view repository, absl::string_view argument) const;

 private:
  // The index of the first `c` at or after `from`; the text's size without one.
  static constexpr size_t Find(absl::string_view text, char c, size_t from) {
    while (from < text.size() && text[from] != c) ++from;
    return from;
  }

  absl::string_view prefix_;
  bool has_repository_ = false;
  absl::string_view suffix_;  // Between the repository and the argument or the end.
  absl::string_view argument_;
};

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_REQUEST_ROUTE_PATTERN_H_
