//! The kernel inside a bzImage. QEMU boots the plain ELF (through its PVH note) faster than the packed image.

use anyhow::{Context, Result, bail, ensure};

/// Whether it is x86's packed image. QEMU boots the others as they are: an ELF file, or what arm64 calls `Image`.
pub fn is_bz_image(image: &[u8]) -> bool {
    image.get(0x202..0x206) == Some(b"HdrS")
}

/// The still compressed kernel in a bzImage, and the program that unpacks it.
///
/// The boot protocol's header (Documentation/arch/x86/boot.rst) says where the payload lies: `payload_offset` (0x248)
/// counts from the end of the real-mode sectors, `payload_length` (0x24c) includes the four bytes of unpacked size
/// that follow the compressed stream.
pub fn payload(image: &[u8]) -> Result<(&'static str, &[u8])> {
    let word = |at: usize| -> Result<usize> {
        let bytes = image
            .get(at..at + 4)
            .context("the kernel image ends within its header")?;
        Ok(u32::from_le_bytes(bytes.try_into()?) as usize)
    };
    ensure!(
        is_bz_image(image),
        "the kernel image is no bzImage: `HdrS` is missing at 0x202"
    );
    // Zero means four, says the protocol: images older than the field itself.
    let setup_sectors = if image[0x1f1] == 0 {
        4
    } else {
        usize::from(image[0x1f1])
    };
    let start = (setup_sectors + 1) * 512 + word(0x248)?;
    let end = start + word(0x24c)?.saturating_sub(4);
    let stream = image
        .get(start..end)
        .context("the kernel image's payload reaches beyond its end")?;
    Ok((unpacker(stream)?, stream))
}

/// The command that unpacks a stream which begins like this one.
fn unpacker(stream: &[u8]) -> Result<&'static str> {
    match stream {
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Ok("xz"),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Ok("zstd"),
        [0x1f, 0x8b, ..] => Ok("gzip"),
        _ => bail!(
            "the kernel is packed in a way that is not known here; it begins {:02x?}",
            &stream[..stream.len().min(6)]
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::payload;

    const XZ: &[u8] = &[0xfd, b'7', b'z', b'X', b'Z', 0, 1, 2, 3];

    /// An image with `sectors` of real mode, 16 bytes of stub, then the stream and its size.
    fn image(sectors: u8, stream: &[u8]) -> Vec<u8> {
        let real = if sectors == 0 {
            4
        } else {
            usize::from(sectors)
        };
        let mut image = vec![0; ((real + 1) * 512).max(0x250) + 16];
        image[0x1f1] = sectors;
        image[0x202..0x206].copy_from_slice(b"HdrS");
        image[0x248..0x24c].copy_from_slice(&16u32.to_le_bytes());
        image[0x24c..0x250].copy_from_slice(&(stream.len() as u32 + 4).to_le_bytes());
        image.extend_from_slice(stream);
        image.extend_from_slice(&[9; 4]);
        image
    }

    #[test]
    fn the_stream_is_found_without_its_trailing_size() {
        for sectors in [1, 27, 39, 0] {
            assert_eq!(
                payload(&image(sectors, XZ)).unwrap(),
                ("xz", XZ),
                "{sectors} sectors"
            );
        }
        assert_eq!(
            payload(&image(3, &[0x28, 0xb5, 0x2f, 0xfd, 7])).unwrap().0,
            "zstd"
        );
    }

    #[test]
    fn what_is_no_kernel_is_refused() {
        let mut cut = image(3, XZ);
        cut.truncate(cut.len() - 8);
        assert!(
            payload(&cut)
                .unwrap_err()
                .to_string()
                .contains("beyond its end")
        );
        assert!(
            payload(b"\x7fELF")
                .unwrap_err()
                .to_string()
                .contains("HdrS")
        );
        assert!(
            payload(&image(3, b"hello world"))
                .unwrap_err()
                .to_string()
                .contains("68, 65")
        );
    }
}
