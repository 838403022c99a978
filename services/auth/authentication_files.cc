#include "services/auth/authentication_files.h"

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "services/auth/credentials/htpasswd.h"
#include "services/policy/policy_file.h"
#include "services/runtime/files/file_contents.h"

namespace entrepot::auth {
namespace {

absl::Status CheckAccountsFile(const std::string& path) {
  const absl::StatusOr<std::string> text = runtime::ReadFileContents(path, runtime::kConfiguredFileBytesMax);
  if (!text.ok()) return absl::OkStatus();
  return ParseHtpasswd(*text, path).status();
}

}  // namespace

void CheckAuthenticationFiles(absl::string_view field, const config::v1::Authentication& authentication,
                              runtime::ConfigProblems* problems) {
  if (!authentication.accounts_file().empty()) {
    problems->AddLines(absl::StrCat(field, ".accounts_file"), CheckAccountsFile(authentication.accounts_file()));
  }
  const absl::Status policy = policy::CheckPolicyFile(authentication.policy_file());
  if (absl::IsInvalidArgument(policy)) problems->AddLines(absl::StrCat(field, ".policy_file"), policy);
}

}  // namespace entrepot::auth
