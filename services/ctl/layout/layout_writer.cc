#include "services/ctl/layout/layout_writer.h"

#include "services/status/status_macros.h"

namespace entrepot::ctl {

absl::Status WriteWholeBlob(LayoutWriter* layout, const Digest& digest, absl::string_view content) {
  ASSIGN_OR_RETURN(const bool has, layout->Has(digest));
  if (has) return absl::OkStatus();
  ASSIGN_OR_RETURN(const uint64_t written, layout->BeginBlob(digest, content.size()));
  RETURN_IF_ERROR(layout->Append(content.substr(written)));
  return layout->EndBlob();
}

}  // namespace entrepot::ctl
