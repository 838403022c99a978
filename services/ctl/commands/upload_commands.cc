#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/ctl/client/registry_client.h"
#include "services/ctl/commands/commands.h"
#include "services/ctl/output/maintenance_text.h"
#include "services/ctl/output/terminal_output.h"
#include "services/status/status_macros.h"

namespace entrepot::ctl {
namespace {

namespace v1 = manifest::v1;

constexpr char kRepository[] = "--repository";
constexpr char kAccount[] = "--account";
constexpr char kClient[] = "--client";

types::v1::UploadFilter FilterOf(const CommandLine& line) {
  types::v1::UploadFilter filter;
  filter.set_repository(line.Value(kRepository));
  filter.set_account(line.Value(kAccount));
  filter.set_client(line.Value(kClient));
  return filter;
}

absl::StatusOr<int> ListUploads(const CommandLine& line, RegistryClient& registry) {
  v1::MaintainRequest request;
  *request.mutable_list_uploads()->mutable_filter() = FilterOf(line);
  types::v1::UploadList all;
  for (;;) {
    ASSIGN_OR_RETURN(v1::MaintainResponse response, registry.Maintain(request));
    types::v1::UploadList& page = *response.mutable_uploads();
    for (types::v1::OpenUpload& upload : *page.mutable_uploads()) *all.add_uploads() = std::move(upload);
    if (page.next().empty()) break;
    request.mutable_list_uploads()->set_start_after(page.next());
  }
  Print(line.json() ? MessageJson(all) : UploadListText(all));
  return kOk;
}

absl::StatusOr<int> CancelUploads(const CommandLine& line, RegistryClient& registry) {
  v1::MaintainRequest request;
  types::v1::UploadFilter& filter = *request.mutable_cancel_uploads()->mutable_filter();
  filter = FilterOf(line);
  filter.set_id(line.argument(0));
  if (filter.ByteSizeLong() == 0) {
    return absl::InvalidArgumentError("uploads cancel needs an ID, --repository, --account or --client");
  }
  ASSIGN_OR_RETURN(const v1::MaintainResponse response, registry.Maintain(request));
  const types::v1::CancelledUploads& cancelled = response.cancelled_uploads();
  Print(line.json() ? MessageJson(cancelled) : CancelledUploadsText(cancelled));
  return kOk;
}

}  // namespace

std::vector<Command> UploadCommands() {
  const std::vector<Option> filter = {
      {.name = kRepository, .value = "NAME", .help = "only uploads to this repository"},
      {.name = kAccount, .value = "NAME", .help = "only uploads of this account"},
      {.name = kClient,
       .value = "ADDRESS",
       .help = "only uploads of clients without an account at this address; with IPv6, in its /64"}};
  return {
      {.name = "uploads list",
       .options = filter,
       .summary = "List the open uploads",
       .details =
           "RECEIVED is what is saved, up to 16 MiB less than what has arrived while a request is under way. An\n"
           "upload without another request expires.",
       .examples = {"entrepotctl uploads list", "entrepotctl uploads list --account builds --output json"},
       .run = ListUploads},
      {.name = "uploads cancel",
       .arguments = {{.name = "ID", .help = "the upload", .required = false}},
       .options = filter,
       .summary = "Cancel open uploads and delete their bytes",
       .details = "Their clients have to start again. An upload that a request uses ends with that request.",
       .examples = {"entrepotctl uploads cancel 0123456789abcdef0123456789abcdef",
                    "entrepotctl uploads cancel --account builds"},
       .run = CancelUploads},
  };
}

}  // namespace entrepot::ctl
