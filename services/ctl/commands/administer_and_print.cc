#include "services/ctl/commands/administer_and_print.h"

#include "absl/strings/str_cat.h"
#include "services/ctl/output/administration_text.h"
#include "services/ctl/output/terminal_output.h"
#include "services/status/status_macros.h"

namespace entrepot::ctl {

absl::StatusOr<int> AdministerAndPrint(const auth::v1::AdministerRequest& request, const CommandLine& line,
                                       RegistryClient& registry, const std::string& done) {
  ASSIGN_OR_RETURN(const auth::v1::AdministerResponse response, registry.Administer(request));
  if (line.json()) {
    Print(AdministrationJson(response));
    return kOk;
  }
  const std::string text = AdministrationText(response);
  Print(text.empty() && !done.empty() ? absl::StrCat(Printable(done), "\n") : text);
  return kOk;
}

}  // namespace entrepot::ctl
