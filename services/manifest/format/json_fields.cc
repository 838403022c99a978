#include "services/manifest/format/json_fields.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "boost/json/array.hpp"
#include "boost/json/string.hpp"
#include "services/status/oci_error.h"
#include "services/status/quoted_input.h"
#include "services/status/status_macros.h"

namespace entrepot::manifest {
namespace {

namespace json = boost::json;

absl::string_view View(const json::string& text) { return absl::string_view(text.data(), text.size()); }

// Replaces the two letters outside ASCII that case folding maps to ASCII letters: the long s and the Kelvin sign.
std::string FoldToAscii(absl::string_view key) {
  return absl::StrReplaceAll(key, {{"\xC5\xBF", "s"}, {"\xE2\x84\xAA", "k"}});
}

}  // namespace

absl::Status InvalidField(absl::string_view field, absl::string_view problem) {
  return OciError(OciErrorCode::kManifestInvalid,
                  absl::StrCat(field.empty() ? absl::string_view("the manifest") : field, " ", problem), field);
}

absl::StatusOr<JsonFields> JsonFields::Of(absl::string_view path, const json::value& value) {
  if (!value.is_object()) return InvalidField(path, "must be an object");
  return JsonFields(std::string(path), &value.get_object());
}

absl::Status JsonFields::RefuseOtherSpellings(absl::Span<const absl::string_view> names) const {
  for (const auto& entry : *object_) {
    const absl::string_view key(entry.key().data(), entry.key().size());
    if (std::find(names.begin(), names.end(), key) != names.end()) continue;
    const std::string folded = FoldToAscii(key);
    for (const absl::string_view name : names) {
      if (!absl::EqualsIgnoreCase(folded, name)) continue;
      return InvalidField(Path(name),
                          absl::StrCat("is also spelt ", QuotedInput(key), ", which readers interpret differently"));
    }
  }
  return absl::OkStatus();
}

std::string JsonFields::Path(absl::string_view name) const {
  return path_.empty() ? std::string(name) : absl::StrCat(path_, ".", name);
}

const json::value* JsonFields::Find(absl::string_view name) const {
  const json::value* const value = object_->if_contains(json::string_view(name.data(), name.size()));
  return value == nullptr || value->is_null() ? nullptr : value;
}

absl::StatusOr<const json::array*> JsonFields::Array(absl::string_view name) const {
  const json::value* const value = Find(name);
  if (value == nullptr) return nullptr;
  if (!value->is_array()) return InvalidField(Path(name), "must be an array");
  return &value->get_array();
}

absl::StatusOr<std::optional<std::string>> JsonFields::String(absl::string_view name) const {
  const json::value* const value = Find(name);
  if (value == nullptr) return std::nullopt;
  if (!value->is_string()) return InvalidField(Path(name), "must be a string");
  return std::string(View(value->get_string()));
}

absl::StatusOr<std::optional<std::string>> JsonFields::NonEmptyString(absl::string_view name) const {
  ASSIGN_OR_RETURN(std::optional<std::string> text, String(name));
  if (text.has_value() && text->empty()) return std::nullopt;
  return text;
}

absl::StatusOr<std::optional<uint64_t>> JsonFields::Unsigned(absl::string_view name) const {
  const json::value* const value = Find(name);
  if (value == nullptr) return std::nullopt;
  // Boost.JSON parses integers of more than 63 bits as other types.
  if (!value->is_int64() || value->get_int64() < 0) {
    return InvalidField(Path(name), "must be an integer from 0 to 2^63 - 1");
  }
  return static_cast<uint64_t>(value->get_int64());
}

absl::StatusOr<std::map<std::string, std::string>> JsonFields::StringMap(absl::string_view name) const {
  std::map<std::string, std::string> strings;
  const json::value* const value = Find(name);
  if (value == nullptr) return strings;
  if (!value->is_object()) return InvalidField(Path(name), "must be an object");
  for (const auto& entry : value->get_object()) {
    const absl::string_view key(entry.key().data(), entry.key().size());
    if (!entry.value().is_string()) {
      return InvalidField(Path(name),
                          absl::StrCat("must have string values only; that of ", QuotedInput(key), " is not a string"));
    }
    strings.emplace(key, View(entry.value().get_string()));
  }
  return strings;
}

}  // namespace entrepot::manifest
