#include "services/core/files/named_backup.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "services/core/files/durable_directory.h"
#include "services/status/quoted_input.h"
#include "services/status/status_macros.h"

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
  return absl::InvalidArgumentError(absl::StrCat("a backup's name has 1 to ", kBytesMax,
                                                 " characters of a-z 0-9 . _ - and does not start with a dot; this is ",
                                                 QuotedInput(name)));
}

std::string BackupDirectory(const std::string& parent, const std::string& name) {
  std::error_code error;
  return std::filesystem::absolute(parent, error).lexically_normal() / name;
}

absl::Status MakeNamedBackup(const std::string& parent, const std::string& name,
                             absl::FunctionRef<absl::Status(const std::string& directory)> fill) {
  RETURN_IF_ERROR(CheckBackupName(name));
  const std::string whole = absl::StrCat(parent, "/", name);
  if (std::error_code error; std::filesystem::exists(whole, error)) {
    return absl::AlreadyExistsError(absl::StrCat("there is a backup ", whole));
  }
  const std::string partial = absl::StrCat(parent, "/.", name, ".partial");
  RETURN_IF_ERROR(RemoveTree(partial));
  absl::Status made = MakeDirectoryDurably(partial);
  if (made.ok()) made = fill(partial);
  if (made.ok()) made = RenameDurably(partial, whole);
  if (!made.ok()) RemoveTree(partial).IgnoreError();
  return made;
}

}  // namespace entrepot
