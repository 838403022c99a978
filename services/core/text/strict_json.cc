#include "services/core/text/strict_json.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "boost/json/basic_parser_impl.hpp"
#include "boost/json/value_stack.hpp"
#include "services/status/quoted_input.h"

namespace entrepot {
namespace {

namespace json = boost::json;

// Builds the tree of the values that the parser reports, and refuses texts that the parser would accept.
class TreeBuilder {
 public:
  // NOLINTBEGIN(readability-identifier-naming): the library requires these names.
  static constexpr size_t max_object_size = kJsonValuesMax;
  static constexpr size_t max_array_size = kJsonValuesMax;
  static constexpr size_t max_key_size = SIZE_MAX;
  static constexpr size_t max_string_size = SIZE_MAX;
  // NOLINTEND(readability-identifier-naming)

  // The reason why a function returned false.
  const std::string& problem() const { return problem_; }
  json::value Release() { return stack_.release(); }

  bool on_document_begin(json::error_code&) {
    stack_.reset();
    return true;
  }
  bool on_document_end(json::error_code&) { return true; }

  bool on_object_begin(json::error_code&) {
    keys_of_open_objects_.emplace_back();
    return true;
  }
  bool on_object_end(size_t size, json::error_code& error) {
    keys_of_open_objects_.pop_back();
    stack_.push_object(size);
    return Count(error);
  }
  bool on_array_begin(json::error_code&) { return true; }
  bool on_array_end(size_t size, json::error_code& error) {
    stack_.push_array(size);
    return Count(error);
  }

  bool on_key_part(json::string_view part, size_t, json::error_code&) {
    key_.append(part.data(), part.size());
    stack_.push_chars(part);
    return true;
  }
  bool on_key(json::string_view part, size_t, json::error_code& error) {
    key_.append(part.data(), part.size());
    stack_.push_key(part);
    const auto [key, inserted] = keys_of_open_objects_.back().insert(std::move(key_));
    key_.clear();
    if (!inserted) return Refuse(absl::StrCat("the key ", QuotedInput(*key), " occurs twice in one object"), error);
    return Count(error);
  }

  bool on_string_part(json::string_view part, size_t, json::error_code&) {
    stack_.push_chars(part);
    return true;
  }
  bool on_string(json::string_view part, size_t, json::error_code& error) {
    stack_.push_string(part);
    return Count(error);
  }
  bool on_number_part(json::string_view, json::error_code&) { return true; }
  bool on_int64(int64_t number, json::string_view, json::error_code& error) {
    stack_.push_int64(number);
    return Count(error);
  }
  bool on_uint64(uint64_t number, json::string_view, json::error_code& error) {
    stack_.push_uint64(number);
    return Count(error);
  }
  bool on_double(double number, json::string_view, json::error_code& error) {
    stack_.push_double(number);
    return Count(error);
  }
  bool on_bool(bool value, json::error_code& error) {
    stack_.push_bool(value);
    return Count(error);
  }
  bool on_null(json::error_code& error) {
    stack_.push_null();
    return Count(error);
  }
  bool on_comment_part(json::string_view, json::error_code&) { return true; }
  bool on_comment(json::string_view, json::error_code&) { return true; }

 private:
  bool Count(json::error_code& error) {
    if (++values_ <= kJsonValuesMax) return true;
    return Refuse(absl::StrCat("more than ", kJsonValuesMax, " values and keys (a fixed limit)"), error);
  }
  bool Refuse(std::string problem, json::error_code& error) {
    problem_ = std::move(problem);
    error = json::error::syntax;
    return false;
  }

  json::value_stack stack_;
  std::vector<absl::flat_hash_set<std::string>> keys_of_open_objects_;
  std::string key_;
  size_t values_ = 0;
  std::string problem_;
};

std::string Describe(const json::error_code& error) {
  if (error == json::error::too_deep)
    return absl::StrCat("nested deeper than ", kJsonDepthMax, " levels (a fixed limit)");
  if (error == json::error::incomplete) return "the text ends within a value";
  return error.message();
}

absl::Status NotJson(absl::string_view problem, size_t offset_bytes) {
  return absl::InvalidArgumentError(absl::StrCat("not well-formed JSON: ", problem, ", at byte ", offset_bytes));
}

}  // namespace

absl::StatusOr<json::value> ParseStrictJson(absl::string_view text) {
  json::parse_options options;
  options.max_depth = kJsonDepthMax;
  json::basic_parser<TreeBuilder> parser(options);
  json::error_code error;
  const size_t consumed = parser.write_some(/*more=*/false, text.data(), text.size(), error);
  if (error) {
    const std::string& problem = parser.handler().problem();
    return NotJson(problem.empty() ? Describe(error) : problem, consumed);
  }
  if (consumed < text.size()) return NotJson("something follows the value", consumed);
  return parser.handler().Release();
}

}  // namespace entrepot
