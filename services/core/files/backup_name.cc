#include "services/core/files/backup_name.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "services/status/quoted_input.h"

namespace entrepot {
namespace {

constexpr size_t kBytesMax = 64;

bool IsNameByte(char byte) {
  return absl::ascii_islower(byte) || absl::ascii_isdigit(byte) || byte == '.' || byte == '_' || byte == '-';
}

}  // namespace

absl::Status CheckBackupName(absl::string_view name) {
  const bool good = !name.empty() && name.size() <= kBytesMax && name.front() != '.' &&
                    std::all_of(name.begin(), name.end(), IsNameByte);
  if (good) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "a backup's name has 1 to ", kBytesMax, " of a-z 0-9 . _ -, the first one no dot; this is ", QuotedInput(name)));
}

}  // namespace entrepot
