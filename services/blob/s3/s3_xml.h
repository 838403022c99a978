#ifndef ENTREPOT_SERVICES_BLOB_S3_S3_XML_H_
#define ENTREPOT_SERVICES_BLOB_S3_S3_XML_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

// The little of XML that S3's answers need: elements, without attributes, of documents that are flat but for lists.
namespace entrepot::blob::s3 {

// The name of the document's element; empty if there is none. Whitespace and a declaration before it are skipped.
std::string RootOfXml(absl::string_view document);

// The content of the first element of that name, not decoded; empty if there is none.
absl::string_view FindXml(absl::string_view document, absl::string_view name);
// The same of all such elements, which must not be nested.
std::vector<absl::string_view> FindAllXml(absl::string_view document, absl::string_view name);

// The text of the first element of that name, with its entities decoded.
std::string TextOfXml(absl::string_view document, absl::string_view name);

std::string EscapeXml(absl::string_view text);

}  // namespace entrepot::blob::s3

#endif  // ENTREPOT_SERVICES_BLOB_S3_S3_XML_H_
