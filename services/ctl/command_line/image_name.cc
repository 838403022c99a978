#include "services/ctl/command_line/image_name.h"

#include <cstddef>

namespace entrepot::ctl {

ImageName ParseImageName(const std::string& text) {
  ImageName image{text, ""};
  if (const size_t at = text.find('@'); at != std::string::npos) image = {text.substr(0, at), text.substr(at + 1)};
  // A colon before the last slash belongs to a port.
  const size_t colon = image.repository.rfind(':');
  if (colon == std::string::npos || image.repository.find('/', colon) != std::string::npos) return image;
  if (image.reference.empty()) image.reference = image.repository.substr(colon + 1);
  image.repository.resize(colon);
  return image;
}

}  // namespace entrepot::ctl
