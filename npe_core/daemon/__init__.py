"""The watch folder: photos with their masks go into one folder, edited photos come out in another.

::

    inbox/NAME.png + NAME.mask.png  ->  outbox/NAME.png + NAME.json    or    failed/JOB/ (inputs + reason.json)

``names`` and ``tracker`` say which inputs belong together and are whole, ``spool`` moves them and survives kill -9,
``work`` edits them, ``pipeline`` lets reading, editing and writing overlap, ``service`` is the loop around them all.
"""
