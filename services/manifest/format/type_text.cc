#include "services/manifest/format/type_text.h"

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "services/manifest/format/json_fields.h"
#include "services/status/quoted_input.h"

namespace entrepot::manifest {
namespace {

bool IsPrintable(char c) { return absl::ascii_isprint(static_cast<unsigned char>(c)); }

}  // namespace

absl::Status CheckTypeText(absl::string_view field, absl::string_view text) {
  if (text.size() > kTypeBytesMax) {
    return InvalidField(field, absl::StrCat("has ", text.size(), " bytes; a type has at most ", kTypeBytesMax));
  }
  const absl::string_view name = text.substr(0, text.find(';'));
  const bool valid =
      !name.empty() && absl::c_all_of(text, IsPrintable) && !absl::StrContains(name, ' ') && !absl::EndsWith(text, " ");
  if (valid) return absl::OkStatus();
  return InvalidField(field, absl::StrCat("is invalid: the type ", QuotedInput(text),
                                          " must be printable ASCII, with spaces only within parameters"));
}

}  // namespace entrepot::manifest
