#include "services/ctl/administration.h"

#include "absl/strings/str_cat.h"
#include "services/ctl/output.h"
#include "services/ctl/render.h"
#include "services/ctl/table.h"
#include "services/status/status_macros.h"

namespace entrepot::ctl {

absl::StatusOr<int> Ask(const auth::v1::AdministerRequest& request, Session& session, const std::string& done) {
  ASSIGN_OR_RETURN(const auth::v1::AdministerResponse response, session.Administer(request));
  if (session.json()) {
    Print(ToJson(response));
  } else {
    const std::string text = ToText(response);
    Print(text.empty() && !done.empty() ? absl::StrCat(Printable(done), "\n") : text);
  }
  return kOk;
}

}  // namespace entrepot::ctl
